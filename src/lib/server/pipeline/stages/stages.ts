// The stages that work on bytes, over one pool of isolated workers.
import type { Config } from '#lib/server/config.ts';
import type { Log } from '#lib/server/log.ts';
import { createIsolate } from '../isolate.ts';
import type { Stages } from '../stage.ts';
import { compress } from './compress.ts';
import { extract } from './extract.ts';

export function createStages({
	config,
	log
}: {
	config: Pick<Config, 'workerConcurrency'>;
	log: Log;
}): Stages {
	const isolate = createIsolate({ threads: Math.max(2, config.workerConcurrency + 1), log });
	return {
		compress: (input) => compress(isolate, log, input),
		extract: (input) => extract(isolate, input),
		close: () => isolate.close()
	};
}
