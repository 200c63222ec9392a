// The stages that work on bytes, over one pool of isolated workers.
import type { Config } from '#lib/server/config.ts';
import type { Log } from '#lib/server/log.ts';
import { createIsolate, type Isolate } from '../isolate.ts';
import type { Stages } from '../stage.ts';
import { compress } from './compress.ts';
import { extract } from './extract.ts';

const spare = new URL('../work/spare.ts', import.meta.url);

export function createStages({
	config,
	log
}: {
	config: Pick<Config, 'workerConcurrency'>;
	log: Log;
}): Stages & Pick<Isolate, 'crash'> {
	// A file is compressed and read at the same time; one thread more is for the small file that overtakes big ones.
	const threads = 2 * config.workerConcurrency + 1;
	const isolate = createIsolate({ threads, warm: 2, spare, log });
	return {
		compress: (input) => compress(isolate, log, input),
		extract: (input) => extract(isolate, input),
		crash: (owner) => isolate.crash(owner),
		close: () => isolate.close()
	};
}
