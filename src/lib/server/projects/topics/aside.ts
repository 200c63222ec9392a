// findTopics in a thread of its own, with a time and a memory budget: what takes longer is given up.
import { Worker } from 'node:worker_threads';
import type { KnownTopic, Passage, Topic } from './find.ts';

const file = new URL('./worker.ts', import.meta.url);
const longestMs = 30_000;
const resourceLimits = { maxOldGenerationSizeMb: 256 };

export type Material = { passages: readonly Passage[]; known: readonly KnownTopic[] };

export function findTopicsAside(material: Material, signal: AbortSignal): Promise<Topic[]> {
	const worker = new Worker(file, { workerData: material, resourceLimits });
	const { promise, resolve, reject } = Promise.withResolvers<Topic[]>();
	const timer = setTimeout(() => reject(new Error('Finding topics took too long.')), longestMs);
	const onAbort = () => reject(signal.reason);
	signal.addEventListener('abort', onAbort);
	worker.once('message', resolve);
	worker.once('error', reject);
	worker.once('exit', (code) => reject(new Error(`Finding topics ended with ${code}.`)));
	return promise.finally(() => {
		clearTimeout(timer);
		signal.removeEventListener('abort', onAbort);
		void worker.terminate();
	});
}
