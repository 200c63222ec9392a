import { monitorEventLoopDelay } from 'node:perf_hooks';
import { BroadcastChannel } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '#lib/server/log.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { spareChannel } from '../../../../tests/support/isolate-spare.ts';
import type { Behaviour } from '../../../../tests/support/isolate-tasks.ts';
import { createIsolate, type Isolate } from './isolate.ts';
import type { Tick } from './stage.ts';

const file = new URL('../../../../tests/support/isolate-tasks.ts', import.meta.url);
let isolate: Isolate;

beforeAll(() => {
	isolate = createIsolate({ threads: 2, log: silentLog, heapMb: 64, taskMb: 200 });
});
afterAll(() => isolate.close());

type Options = {
	signal?: AbortSignal;
	patienceMs?: number;
	budgetMs?: number;
	onTick?: (tick: Tick) => void;
};

function task(input: Behaviour, options: Options = {}) {
	return {
		file,
		input,
		signal: new AbortController().signal,
		patienceMs: 20_000,
		budgetMs: 60_000,
		...options
	};
}

describe('a task', () => {
	test('hands over its items in order, then its result', async () => {
		const items = isolate.stream<Behaviour, number, string>(task({ do: 'emit', count: 500 }));
		const seen: number[] = [];
		for (let next = await items.next(); ; next = await items.next()) {
			if (next.done) {
				expect(next.value).toBe('emitted');
				break;
			}
			seen.push(next.value);
		}
		expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => i));
	});

	test('waits for a slow reader, and is not thought to hang meanwhile', async () => {
		let ahead = 0;
		const onTick = (tick: Tick) => (ahead = tick.done);
		const items = isolate.stream<Behaviour, number, string>(
			task({ do: 'emit', count: 1000 }, { onTick, patienceMs: 300 })
		);
		await items.next();
		await new Promise((resolve) => setTimeout(resolve, 900)); // longer than its patience: the wait is the point
		expect(ahead).toBeLessThan(20);
		let count = 1;
		for await (const item of items) count += item >= 0 ? 1 : 0;
		expect(count).toBe(1000);
	});

	test('does not pay for the time its reader takes', async () => {
		const items = isolate.stream<Behaviour, number, string>(
			task({ do: 'emit', count: 12 }, { budgetMs: 1000 })
		);
		await items.next();
		await new Promise((resolve) => setTimeout(resolve, 2000)); // longer than its budget: the wait is the point
		let count = 1;
		for await (const item of items) count += item >= 0 ? 1 : 0;
		expect(count).toBe(12);
	});

	test('fails with the code and the details it threw', async () => {
		await expect(isolate.run(task({ do: 'fail' }))).rejects.toMatchObject({
			code: 'file.damaged',
			details: { at: 17 }
		});
	});

	test('fails as crashed on an error nobody expected, on exit and on a lost rejection', async () => {
		for (const behaviour of ['throw', 'exit', 'reject'] as const) {
			await expect(isolate.run(task({ do: behaviour })), behaviour).rejects.toMatchObject({
				code: 'stage.crashed'
			});
		}
	});

	test('sees none of the environment', async () => {
		await expect(isolate.run(task({ do: 'environment' }))).resolves.toBe('');
	});
});

describe('a task beyond its budget', () => {
	test.each(['loop', 'hang'] as const)(
		'that makes no progress (%s) fails as timed out',
		async (behaviour) => {
			const before = Date.now();
			await expect(isolate.run(task({ do: behaviour }, { patienceMs: 500 }))).rejects.toMatchObject({
				code: 'stage.timed_out'
			});
			// Its budget is a minute; the rest is for a busy machine.
			expect(Date.now() - before).toBeLessThan(15_000);
		}
	);

	test('that is slow but makes progress goes on', async () => {
		await expect(
			isolate.run(task({ do: 'tick', times: 12, everyMs: 100 }, { patienceMs: 500 }))
		).resolves.toBe('ticked');
	});

	test('that goes on for ever, however busily, fails as timed out', async () => {
		const before = Date.now();
		await expect(
			isolate.run(task({ do: 'tick', times: 1e6, everyMs: 50 }, { budgetMs: 700 }))
		).rejects.toMatchObject({ code: 'stage.timed_out' });
		expect(Date.now() - before).toBeLessThan(15_000);
	});

	test.each(['heap', 'buffers'] as const)(
		'that fills memory (%s) fails as out of memory; its neighbour lives',
		async (behaviour) => {
			const neighbour = isolate.run(task({ do: 'tick', times: 30, everyMs: 50 }));
			await expect(isolate.run(task({ do: behaviour }))).rejects.toMatchObject({
				code: 'stage.out_of_memory'
			});
			await expect(neighbour).resolves.toBe('ticked');
		}
	);
});

describe('cancelling', () => {
	test('kills an endless loop within a second, with the given reason', async () => {
		const controller = new AbortController();
		const reason = new Error('the person said stop');
		const running = isolate.run(task({ do: 'loop' }, { signal: controller.signal }));
		const failed = expect(running).rejects.toBe(reason);
		await isolate.run(task({ do: 'emit', count: 0 }));
		const before = Date.now();
		controller.abort(reason);
		await failed;
		expect(Date.now() - before).toBeLessThan(1000);
	});

	test('work that waits behind killed workers is done', async () => {
		const controller = new AbortController();
		const loops = [1, 2].map(() => isolate.run(task({ do: 'loop' }, { signal: controller.signal })));
		const ends = Promise.allSettled(loops);
		const waiting = isolate.run(task({ do: 'emit', count: 0 }));
		controller.abort();
		await ends;
		await expect(waiting).resolves.toBe('emitted');
	});

	test('a reader that leaves stops the work', async () => {
		for await (const item of isolate.stream<Behaviour, number, string>(task({ do: 'emit', count: 1e9 })))
			if (item === 20) break;
		await expect(isolate.run(task({ do: 'emit', count: 0 }))).resolves.toBe('emitted');
	});

	test('closing the pool ends what runs', async () => {
		const other = createIsolate({ threads: 2, log: silentLog });
		const running = expect(other.run(task({ do: 'loop' }))).rejects.toMatchObject({
			code: 'server.stopping'
		});
		await other.close();
		await running;
	});
});

describe('a thread that stands by', () => {
	test('is made ready when something long is at work, and takes the next task', async () => {
		const spare = new URL('../../../../tests/support/isolate-spare.ts', import.meta.url);
		const other = createIsolate({ threads: 2, spare, log: silentLog });
		const channel = new BroadcastChannel(spareChannel);
		let ready = 0;
		channel.onmessage = () => ready++;
		const running = Promise.allSettled([other.run(task({ do: 'loop' }))]);
		await eventually(() => expect(ready).toBe(1), { timeoutMs: 20_000 });
		await expect(other.run(task({ do: 'emit', count: 0 }))).resolves.toBe('emitted');
		await other.close();
		await running;
		channel.close();
	});
});

describe('a crash on request', () => {
	/** Its end, once it is at work. */
	async function begin(owner: string, times: number): Promise<{ end: Promise<unknown> }> {
		const { promise: isAtWork, resolve } = Promise.withResolvers<void>();
		const ticking = task({ do: 'tick', times, everyMs: 20 }, { onTick: () => resolve() });
		const end = isolate.run({ ...ticking, owner }).catch((error: unknown) => error);
		await isAtWork;
		return { end };
	}

	test('ends a task of that owner and no other; the next task is done', async () => {
		const grace = await begin('grace', 50);
		const ada = await begin('ada', 1e6);
		expect(await isolate.crash('ada')).toBe('busy');
		expect(await ada.end).toMatchObject({ code: 'stage.crashed' });
		expect(await isolate.crash('ada')).toBe('idle');
		expect(await grace.end).toBe('ticked');
		await expect(isolate.run(task({ do: 'emit', count: 0 }))).resolves.toBe('emitted');
	});
});

test('the calling thread stays responsive while workers are busy', async () => {
	const controller = new AbortController();
	const loop = isolate.run(task({ do: 'loop' }, { signal: controller.signal })).catch(() => undefined);
	const delay = monitorEventLoopDelay({ resolution: 5 });
	delay.enable();
	let count = 0;
	for await (const item of isolate.stream<Behaviour, number, string>(task({ do: 'emit', count: 20_000 })))
		count += item >= 0 ? 1 : 0;
	delay.disable();
	controller.abort();
	await loop;
	expect(count).toBe(20_000);
	expect(delay.percentile(99) / 1e6).toBeLessThan(1_000);
});
