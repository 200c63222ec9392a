import { afterEach, describe, expect, test } from 'vitest';
import { createLog, silentLog } from '#lib/server/log.ts';
import { createMetrics } from '#lib/server/metrics.ts';
import { mulberry32 } from '../../../../tests/support/make-files.ts';
import {
	type Fault,
	type ProviderDouble,
	type ProviderOptions,
	startProviderDouble,
	wordVector
} from '../../../../tests/support/provider.ts';
import { createEmbedder, type Embedder } from './embedder.ts';
import { createProvider } from './provider.ts';

const signal = new AbortController().signal;
const tuning = { callTimeoutMs: 400, firstDelayMs: 5, longestDelayMs: 40 };
let double: ProviderDouble;

const start = async (
	options: ProviderOptions = {},
	dimensions: number | 'learned' = 64,
	extra: { maxLimitedMs?: number; maxSilentMs?: number; quietMs?: number } = {}
): Promise<Embedder> => {
	double = await startProviderDouble({ apiKey: 'sk-test-1234567', ...options });
	const provider = {
		apiKey: 'sk-test-1234567',
		baseUrl: double.url,
		model: 'double',
		dimensions: dimensions === 'learned' ? undefined : dimensions
	};
	return createProvider({
		provider,
		metrics: createMetrics(),
		log: silentLog,
		tuning: { ...tuning, ...extra }
	});
};
const texts = (count: number): string[] =>
	Array.from({ length: count }, (_, i) => `text number ${i} of many`);

afterEach(() => double.close());

describe('vectors', () => {
	test('come back in order, in batches of at most a hundred', async () => {
		const embedder = await start();
		const vectors = await embedder.embed(texts(250), { signal });
		expect(double.calls.map((call) => call.inputs.length)).toEqual([100, 100, 50]);
		vectors.forEach((vector, i) => expect(vector).toEqual(wordVector(`text number ${i} of many`, 64)));
	});

	test('of a model whose size is not configured are learned once', async () => {
		const embedder = await start({ dimensions: 48 }, 'learned');
		await embedder.embed(texts(3), { signal });
		const [vector] = await embedder.embed(['one'], { signal });
		expect(vector?.length).toBe(48);
		expect(double.calls.length).toBe(3);
		expect(embedder.model).toBe('double');
	});

	test('of different sizes belong to different models', async () => {
		expect((await start({}, 32)).model).toBe('double@32');
	});
});

describe('a provider in trouble', () => {
	test('that asks to wait is waited for, and the wait is told', async () => {
		const embedder = await start();
		double.failNext({ kind: 'rate_limited', retryAfterSeconds: 1 });
		const waits: number[] = [];
		const before = Date.now();
		const vectors = await embedder.embed(texts(2), { signal, onWait: (seconds) => waits.push(seconds) });
		expect(vectors.every(Boolean)).toBe(true);
		expect(Date.now() - before).toBeGreaterThanOrEqual(1000);
		expect(waits[0]).toBe(1);
		expect(waits.at(-1)).toBe(0);
		expect(double.calls.length).toBe(2);
	});

	test('that asks to wait stops every job, not only the one that heard it', async () => {
		const embedder = await start();
		double.failNext({ kind: 'rate_limited', retryAfterSeconds: 0.3 });
		await Promise.all([embedder.embed(['first'], { signal }), embedder.embed(['second'], { signal })]);
		const refusedAt = double.calls[0]?.at ?? 0;
		for (const call of double.calls.slice(2)) expect(call.at - refusedAt).toBeGreaterThanOrEqual(290);
		await embedder.embed(['third'], { signal });
		expect(double.paid.toSorted()).toEqual(['first', 'second', 'third']);
	});

	test.each<Fault>([
		{ kind: 'status', status: 500 },
		{ kind: 'status', status: 503 },
		{ kind: 'hang' },
		{ kind: 'truncated' },
		{ kind: 'wrong_dimensions' },
		{ kind: 'too_few' },
		{ kind: 'rate_limited' }
	])('%o: the call is made again, and only that call', async (fault) => {
		const embedder = await start();
		double.failNext(fault);
		const vectors = await embedder.embed(texts(150), { signal });
		expect(vectors.every((vector) => vector?.length === 64)).toBe(true);
		expect(double.calls.length).toBe(3);
		expect(double.paid.length).toBe(150);
	});

	test('with a fifth of its calls failing pays each text once, and wastes no call', async () => {
		const embedder = await start({ latencyMs: 1 });
		const random = mulberry32(7);
		const faults: Fault[] = [
			{ kind: 'rate_limited', retryAfterSeconds: 0.02 },
			{ kind: 'status', status: 502 },
			{ kind: 'hang' },
			{ kind: 'truncated' },
			{ kind: 'wrong_dimensions' },
			{ kind: 'too_few' }
		];
		double.failWhen(() => (random() < 0.2 ? faults[Math.floor(random() * faults.length)] : undefined));
		const vectors = await embedder.embed(texts(5000), { signal });
		expect(vectors.every(Boolean)).toBe(true);
		const failed = double.calls.filter((call) => call.fault).length;
		expect(new Set(double.calls.map((call) => call.fault))).toEqual(
			new Set([undefined, ...faults.map(({ kind }) => kind)])
		);
		expect(double.calls.length).toBe(50 + failed);
		expect(double.paid.length).toBe(5000);
	});

	test('that never answers is unreachable, within bounds', async () => {
		const embedder = await start();
		double.failWhen(() => ({ kind: 'status', status: 500 }));
		await expect(embedder.embed(['x'], { signal })).rejects.toMatchObject({ code: 'embedding.unreachable' });
		expect(double.calls.length).toBe(7);
	});

	test('that takes calls and never answers is unreachable for all who stand in line for it, too', async () => {
		const embedder = await start({}, 64, { maxSilentMs: 300 });
		double.failWhen(() => ({ kind: 'hang' }));
		const outcomes = await Promise.allSettled(texts(12).map((text) => embedder.embed([text], { signal })));
		for (const outcome of outcomes)
			expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'embedding.unreachable' } });
		expect(double.calls.length).toBe(4);
		double.failWhen(undefined);
		expect(await embedder.embed(['again'], { signal })).toHaveLength(1);
	});

	test('that is silent is told as a wait while the call is under way', async () => {
		const embedder = await start({}, 64, { maxSilentMs: 300, quietMs: 20 });
		double.failWhen(() => ({ kind: 'hang' }));
		const waits: number[] = [];
		const embedding = embedder.embed(['x'], { signal, onWait: (seconds) => waits.push(seconds) });
		await expect(embedding).rejects.toMatchObject({ code: 'embedding.unreachable' });
		expect(waits).toEqual([1, 0]);
	});

	test('that does not answer one call costs the others nothing', async () => {
		const embedder = await start({ latencyMs: 20 }, 64, { maxSilentMs: 300 });
		double.failWhen(({ inputs }) => (inputs[0] === 'strange' ? { kind: 'hang' } : undefined));
		const strange = embedder.embed(['strange'], { signal });
		strange.catch(() => undefined); // looked at below
		await Promise.all(texts(60).map((text) => embedder.embed([text], { signal })));
		await expect(strange).rejects.toMatchObject({ code: 'embedding.unreachable' });
	});

	test('that is not there is unreachable', async () => {
		const embedder = await start();
		await double.close();
		await expect(embedder.embed(['x'], { signal })).rejects.toMatchObject({ code: 'embedding.unreachable' });
	});

	test('that says "later" for too long is rate limited', async () => {
		const embedder = await start({}, 64, { maxLimitedMs: 200 });
		double.failWhen(() => ({ kind: 'rate_limited', retryAfterSeconds: 0.1 }));
		await expect(embedder.embed(['x'], { signal })).rejects.toMatchObject({ code: 'embedding.rate_limited' });
	});

	test('that keeps answering nonsense is given up', async () => {
		const embedder = await start();
		double.failWhen(() => ({ kind: 'wrong_dimensions' }));
		await expect(embedder.embed(['x'], { signal })).rejects.toMatchObject({ code: 'embedding.rejected' });
		expect(double.calls.length).toBe(3);
	});
});

describe('a refusal', () => {
	test('of one text leaves its slot empty; the others are paid once', async () => {
		const embedder = await start({ isPoisoned: (text) => text.includes('number 37 ') });
		const vectors = await embedder.embed(texts(100), { signal });
		expect(vectors.findIndex((vector) => vector === undefined)).toBe(37);
		expect(vectors.filter(Boolean).length).toBe(99);
		expect(double.paid.filter((text) => text !== 'test').length).toBe(99);
	});

	test('of everything fails at once instead of trying each text', async () => {
		const embedder = await start({ isPoisoned: () => true });
		await expect(embedder.embed(texts(100), { signal })).rejects.toMatchObject({
			code: 'embedding.rejected'
		});
		expect(double.calls.length).toBe(2);
	});

	test('of the key fails at once, and the key stays secret', async () => {
		const lines: string[] = [];
		double = await startProviderDouble({ apiKey: 'another' });
		const provider = { apiKey: 'sk-very-secret-key', baseUrl: double.url, model: 'double', dimensions: 64 };
		const log = createLog('debug', { write: (line) => void lines.push(line) });
		const embedder = createEmbedder({ config: { provider }, metrics: createMetrics(), log });
		const error: unknown = await embedder.embed(['x'], { signal }).catch((reason: unknown) => reason);
		expect(error).toMatchObject({ code: 'embedding.rejected' });
		log.error({ err: error }, 'seen');
		expect(lines.join('')).toContain('embedding.rejected');
		expect(lines.join('')).not.toContain('very-secret');
	});
});

describe('many jobs at once', () => {
	test('share a limit that falls when the provider refuses and rises when it answers', async () => {
		const embedder = await start({ latencyMs: 5 });
		await Promise.all(Array.from({ length: 60 }, () => embedder.embed(texts(3), { signal })));
		const grown = double.peak;
		expect(grown).toBeGreaterThan(4);
		expect(grown).toBeLessThanOrEqual(16);
		double.peak = 0;
		double.failNext(
			...Array.from({ length: 3 }, (): Fault => ({ kind: 'rate_limited', retryAfterSeconds: 0.02 }))
		);
		for (let i = 0; i < 3; i++) await embedder.embed(['x'], { signal });
		await Promise.all(Array.from({ length: 10 }, () => embedder.embed(texts(3), { signal })));
		expect(double.peak).toBeLessThan(grown);
	});

	test('do not fail with one that is cancelled while the size of vectors is being learned', async () => {
		const embedder = await start({ dimensions: 48, latencyMs: 50 }, 'learned');
		const controller = new AbortController();
		const cancelled = embedder.embed(['first'], { signal: controller.signal });
		const other = embedder.embed(['second'], { signal });
		controller.abort(new Error('stop'));
		await expect(cancelled).rejects.toThrow('stop');
		expect((await other)[0]?.length).toBe(48);
	});

	test('end within a second when cancelled, even in a wait', async () => {
		const embedder = await start();
		double.failWhen(() => ({ kind: 'rate_limited', retryAfterSeconds: 60 }));
		const controller = new AbortController();
		const waiting = Promise.allSettled(
			[1, 2, 3].map(() =>
				embedder.embed(['x'], {
					signal: controller.signal,
					onWait: () => setTimeout(() => controller.abort(new Error('stop')), 20)
				})
			)
		);
		const before = Date.now();
		for (const outcome of await waiting)
			expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'stop' } });
		expect(Date.now() - before).toBeLessThan(1000);
	});
});
