// A thread of its own: counting phrases must not stand in the way of streams.
import { parentPort, workerData } from 'node:worker_threads';
import { findTopics } from './find.ts';

const { passages, known } = workerData;
parentPort?.postMessage(findTopics(passages, known));
