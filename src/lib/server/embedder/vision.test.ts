import { afterEach, describe, expect, test } from 'vitest';
import { silentLog } from '#lib/server/log.ts';
import { createMetrics } from '#lib/server/metrics.ts';
import {
	type ProviderDouble,
	type ProviderOptions,
	startProviderDouble
} from '../../../../tests/support/provider.ts';
import { createVision, type Vision } from './vision.ts';

const signal = new AbortController().signal;
const picture = Buffer.from('the bytes of a JPEG');
let double: ProviderDouble;

const make = (visionModel: string | undefined, baseUrl: string | undefined): Vision | undefined =>
	createVision({
		config: {
			provider: baseUrl ? { apiKey: 'none', baseUrl, model: 'x', dimensions: 8 } : undefined,
			visionModel
		},
		metrics: createMetrics(),
		log: silentLog,
		tuning: { callTimeoutMs: 400, firstDelayMs: 5, longestDelayMs: 40 }
	});

const start = async (options: ProviderOptions = {}): Promise<Vision> => {
	double = await startProviderDouble(options);
	const vision = make('seer', double.url);
	if (!vision) throw new Error('It is configured.');
	return vision;
};
const saying = (said: NonNullable<Awaited<ReturnType<NonNullable<ProviderOptions['describe']>>>>) =>
	start({ describe: () => Promise.resolve(said) });

afterEach(() => double?.close());

describe('a picture', () => {
	test('is sent with one instruction, and its text comes back', async () => {
		const vision = await saying({ content: ' Invoice 17\n' });
		expect(await vision.read(picture, { signal })).toEqual({ text: 'Invoice 17', isWhole: true });
		expect(double.looks).toEqual([
			{ picture, model: 'seer', instruction: expect.stringMatching(/^Transcribe all text/) }
		]);
	});

	test('waits, visibly, when the provider says "later"', async () => {
		const vision = await start();
		double.failNext({ kind: 'rate_limited', retryAfterSeconds: 0.05 }, { kind: 'status', status: 502 });
		const waits: number[] = [];
		const onWait = (seconds: number) => void waits.push(seconds);
		expect(await vision.read(picture, { signal, onWait })).toEqual({ text: 'A picture.', isWhole: true });
		expect(waits[0]).toBe(1);
		expect(waits.at(-1)).toBe(0);
		expect(double.calls).toHaveLength(3);
	});

	test.each([
		['a status', () => start({ describe: () => Promise.resolve(undefined) })],
		['a refusal', () => saying({ content: null, refusal: 'I cannot.' })],
		['a filter', () => saying({ content: 'half of', finish_reason: 'content_filter' })],
		['silence', () => saying({ content: '  ' })]
	])('that is refused by %s is nothing more than that, after one call', async (_by, prepare) => {
		const vision = await prepare();
		expect(await vision.read(picture, { signal })).toBeUndefined();
		expect(double.calls).toHaveLength(1);
	});

	test('costs what the provider counted', async () => {
		const vision = await saying({ usage: { prompt_tokens: 1105, completion_tokens: 60 } });
		const counted: unknown[] = [];
		await vision.read(picture, { signal, onUsage: (usage) => counted.push(usage) });
		expect(counted).toEqual([{ input: 1105, output: 60 }]);
	});

	test('with more text than the model may write is known to be cut off', async () => {
		const vision = await saying({ content: 'a long', finish_reason: 'length' });
		expect(await vision.read(picture, { signal })).toEqual({ text: 'a long', isWhole: false });
	});

	test('fails when the provider has no such model', async () => {
		const vision = await start();
		double.failNext({ kind: 'status', status: 404 });
		await expect(vision.read(picture, { signal })).rejects.toMatchObject({ code: 'embedding.rejected' });
	});

	test('is let go of at once when nobody wants it any more', async () => {
		const vision = await start();
		double.failNext({ kind: 'hang' });
		const controller = new AbortController();
		const read = vision.read(picture, { signal: controller.signal });
		controller.abort(new Error('cancelled'));
		await expect(read).rejects.toThrow('cancelled');
	});
});

test('nothing is read without a model, or without a provider', () => {
	expect(make(undefined, 'http://127.0.0.1:9/v1')).toBeUndefined();
	expect(make('seer', undefined)).toBeUndefined();
});
