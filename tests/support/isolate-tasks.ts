// A worker file that behaves badly on demand, for isolate.test.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { problem } from '#lib/server/errors.ts';
import { serve } from '#lib/server/pipeline/work/serve.ts';

export type Behaviour =
	| { do: 'emit'; count: number }
	| { do: 'loop' | 'hang' | 'heap' | 'buffers' | 'exit' | 'throw' | 'reject' | 'environment' }
	| { do: 'tick'; times: number; everyMs: number }
	| { do: 'fail' };

let kept: unknown[] = [];

export default serve<Behaviour, number, string>(async ({ input, emit, tick }) => {
	switch (input.do) {
		case 'emit':
			for (let i = 0; i < input.count; i++) {
				tick({ done: i, total: input.count, unit: 'pages' });
				await emit(i);
			}
			return 'emitted';
		case 'tick':
			for (let i = 0; i < input.times; i++) {
				await delay(input.everyMs);
				tick({ done: i, total: null, unit: 'bytes' });
			}
			return 'ticked';
		case 'loop':
			for (;;) kept = [];
		case 'hang':
			await new Promise(() => setInterval(() => undefined, 1000));
			return 'never';
		case 'heap':
			for (;;) kept.push({ text: `${kept.length}`.repeat(50), list: new Array(100).fill(kept.length) });
		case 'buffers':
			for (;;) {
				kept.push(Buffer.alloc(8 * 1024 ** 2, 1));
				await delay(5);
			}
		case 'exit':
			return process.exit(3);
		case 'throw':
			throw new TypeError('a bug');
		case 'reject':
			void Promise.reject(new Error('nobody waits for this'));
			await new Promise(() => setInterval(() => undefined, 1000));
			return 'never';
		case 'fail':
			throw problem('file.damaged', { details: { at: 17 } });
		case 'environment':
			return Object.keys(process.env).join();
	}
});
