// A worker that never ends and a provider that never answers, with everything real around them: the file ends with
// the reason, and others go on meanwhile.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import type { Behaviour } from '../../../../tests/support/isolate-tasks.ts';
import { type Look, lookAt, makePipeline } from '../../../../tests/support/pipeline.ts';
import { type ProviderDouble, startProviderDouble } from '../../../../tests/support/provider.ts';
import { makeEmbedder, makeStages } from '../../../../tests/support/stages.ts';
import { defaults } from '../embedder/patience.ts';
import { createProvider } from '../embedder/provider.ts';
import { silentLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import type { PutOff } from '../queue/queue.ts';
import { createIsolate, type Isolate } from './isolate.ts';
import type { Page } from './stage.ts';

const tasks = new URL('../../../../tests/support/isolate-tasks.ts', import.meta.url);
let test: TestFiles;
let ada: string;
let look: Look;

beforeEach(async () => {
	test = await openTestFiles();
	ada = await test.platform.addUser();
	look = lookAt(test, ada);
});
afterEach(() => test.close());

describe('a worker that makes no progress', () => {
	let isolate: Isolate;
	beforeAll(() => {
		isolate = createIsolate({ threads: 2, log: silentLog });
	});
	afterAll(() => isolate.close());

	it.each(['hang', 'loop'] as const)('fails its file as timed out (%s); others go on', async (how) => {
		const stages = makeStages();
		const { extract } = stages;
		stages.extract = (input) => {
			if (input.filename !== 'endless.pdf') return extract(input);
			const { signal } = input;
			return isolate.stream<Behaviour, Page, void>({
				file: tasks,
				input: { do: how },
				signal,
				patienceMs: 600,
				budgetMs: 60_000
			});
		};
		await test.queue.work(makePipeline(test, { stages, embedder: makeEmbedder() }));
		const endless = await test.addFile(ada, 'a', { filename: 'endless.pdf' });
		await look.untilItIs(endless.id, { status: 'processing' });
		const other = await test.addFile(ada, 'other text');
		await look.untilItIs(other.id, { status: 'completed' });
		await look.untilItIs(endless.id, {
			status: 'failed',
			error_code: 'stage.timed_out',
			error_message: 'A step made no progress for too long.'
		});
		await eventually(() => expect(test.queue.inHand()).toBe(0));
	});

	it('fails its file as crashed when it dies, and another attempt goes on', async () => {
		const { promise: isAtWork, resolve } = Promise.withResolvers<void>();
		const stages = makeStages();
		const { extract } = stages;
		stages.extract = ({ signal, owner }) =>
			isolate.stream<Behaviour, Page, void>({
				file: tasks,
				input: { do: 'tick', times: 1e6, everyMs: 20 },
				signal,
				onTick: () => resolve(),
				owner,
				patienceMs: 60_000,
				budgetMs: 60_000
			});
		await test.queue.work(makePipeline(test, { stages, embedder: makeEmbedder() }));
		const file = await test.addFile(ada, 'a text');
		await isAtWork;
		expect(await isolate.crash(ada)).toBe('busy');
		await look.untilItIs(file.id, { status: 'failed', error_code: 'stage.crashed' });
		stages.extract = extract;
		await test.files.retry(ada, file.id);
		await look.untilItIs(file.id, { status: 'completed' });
	});
});

describe('a provider that never answers', () => {
	let double: ProviderDouble;
	beforeEach(async () => {
		double = await startProviderDouble();
		double.failWhen(() => ({ kind: 'hang' }));
		const provider = { apiKey: 'key', baseUrl: double.url, model: 'double', dimensions: undefined };
		const tuning = { callTimeoutMs: 150, maxSilentMs: 100, firstDelayMs: 10 };
		const embedder = createProvider({ provider, metrics: createMetrics(), log: silentLog, tuning });
		pipeline = makePipeline(test, { stages: makeStages(), embedder });
	});
	afterEach(() => double.close());
	let pipeline: ReturnType<typeof makePipeline>;
	const running = new AbortController().signal;

	it('lets the file wait, which is shown, and go on when it answers again', async () => {
		const { id } = await test.addFile(ada, 'some text');
		const job = { fileId: id, attempt: 0, sizeBytes: 9, tries: 0 };
		expect(await pipeline.run(job, running)).toEqual({ inSeconds: 5, tries: 1 });
		expect(await look.get(id)).toMatchObject({
			status: 'processing',
			processing_stage: 'embedding',
			activity: { unit: 'seconds_waiting', done: 0, total: 5 }
		});
		double.failWhen(undefined);
		expect(await pipeline.run({ ...job, tries: 1 }, running)).toBeUndefined();
		expect(await look.get(id)).toMatchObject({ status: 'completed', chunk_count: 1 });
	});

	it('fails the file in the end, within a quarter of an hour, with the reason', async () => {
		const { id } = await test.addFile(ada, 'some text');
		const job = { fileId: id, attempt: 0, sizeBytes: 9, tries: 0 };
		let seconds = 0;
		for (let next: PutOff | undefined = { inSeconds: 0, tries: 0 }; next;) {
			const callsBefore = double.calls.length;
			const { inSeconds, tries }: PutOff = next;
			next = await pipeline.run({ ...job, tries }, running);
			// As long as a call may last, whose time is shortened here.
			expect(double.calls.length - callsBefore).toBe(1);
			seconds += inSeconds + defaults.maxSilentMs / 1000;
		}
		expect(seconds).toBeLessThan(15 * 60);
		expect(await look.get(id)).toMatchObject({
			status: 'failed',
			error_code: 'embedding.unreachable',
			error_message: 'The model provider cannot be reached.'
		});
	});
});
