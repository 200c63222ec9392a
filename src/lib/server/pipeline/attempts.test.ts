// What happens when a process ends, freezes or is succeeded by another one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { type Look, lookAt, makePipeline, pagesOf } from '../../../../tests/support/pipeline.ts';
import { gate, makeEmbedder, makeStages } from '../../../../tests/support/stages.ts';
import { problem } from '../errors.ts';
import { silentLog } from '../log.ts';
import { createQueue } from '../queue/queue.ts';
import { createPositions } from './positions.ts';
import { createRates } from './rates.ts';

let test: TestFiles;
let ada: string;
let look: Look;

beforeEach(async () => {
	test = await openTestFiles();
	ada = await test.platform.addUser();
	look = lookAt(test, ada);
});
afterEach(() => test.close());

/** What one process has of its own. */
function makeProcess(model?: string) {
	const stages = makeStages();
	const embedder = makeEmbedder(model);
	const pipeline = makePipeline(test, { stages, embedder });
	const run = (fileId: string, tries = 0, attempt = 0) =>
		pipeline.run({ fileId, attempt, sizeBytes: 1, tries }, new AbortController().signal);
	return { stages, embedder, pipeline, run };
}

describe('a process that ends', () => {
	it('gives the file back, and the next one completes it without paying again', async () => {
		const first = makeProcess();
		const never = gate();
		first.embedder.before = async (texts, signal) => {
			if (texts.includes('passage 0 of page 20')) await never.passed(signal);
		};
		const queue = createQueue({ ...test.platform, config: { workerConcurrency: 2 }, log: silentLog });
		await queue.start();
		await queue.work(first.pipeline);
		const { id } = await test.addFile(ada, pagesOf(30));
		await eventually(async () => expect((await look.chunks(id)).length).toBeGreaterThan(0));
		await eventually(async () => expect((await look.get(id)).progress).toBeGreaterThan(0));
		await queue.stop();
		const { status, progress } = await look.get(id);
		expect(status).toBe('processing');

		const second = makeProcess();
		second.embedder.before = async () =>
			expect((await look.get(id)).progress).toBeGreaterThanOrEqual(progress);
		await test.queue.work(second.pipeline);
		await look.untilItIs(id, { status: 'completed', chunk_count: 300 });
		const paid = [...first.embedder.texts, ...second.embedder.texts];
		expect(paid).toHaveLength(new Set(paid).size);
		expect(second.stages.calls).toEqual({ compress: 0, extract: 0 });
	});
});

describe('a process that froze', () => {
	it('is refused what it still writes when another one has taken over', async () => {
		const frozen = makeProcess();
		const thaw = gate();
		frozen.embedder.before = (_, signal) => thaw.passed(signal);
		const { id } = await test.addFile(ada, 'one\ntwo');
		const running = frozen.run(id);
		await eventually(() => expect(frozen.embedder.open).toBe(1));
		await makeProcess().run(id);
		const completed = await look.get(id);
		expect(completed).toMatchObject({ status: 'completed', chunk_count: 2 });
		thaw.open();
		expect(await running).toBeUndefined();
		expect(await look.get(id)).toEqual(completed);
		expect(await look.chunks(id)).toHaveLength(2);
	});
});

describe('a provider that does not answer', () => {
	it('lets the file wait, which is shown, and fail in the end', async () => {
		const { embedder, run } = makeProcess();
		embedder.before = async () => {
			throw problem('embedding.unreachable');
		};
		const { id } = await test.addFile(ada, 'text');
		expect(await run(id)).toEqual({ inSeconds: 5, tries: 1 });
		expect(await look.get(id)).toMatchObject({
			status: 'processing',
			activity: { unit: 'seconds_waiting', done: 0, total: 5 }
		});
		expect(await run(id, 5)).toBeUndefined();
		expect(await look.get(id)).toMatchObject({ status: 'failed', error_code: 'embedding.unreachable' });
	});
});

describe('a job that is out of date', () => {
	it('does nothing to a file that was cancelled, and the retry has one of its own', async () => {
		const { stages, pipeline } = makeProcess();
		const { id } = await test.addFile(ada, 'text');
		await test.files.cancel(ada, id);
		await test.queue.work(pipeline);
		await eventually(async () => expect((await test.queue.stats()).waiting).toBe(0));
		expect(stages.calls.extract).toBe(0);
		await test.files.retry(ada, id);
		await look.untilItIs(id, { status: 'completed' });
	});
});

describe('a duplicate', () => {
	it('does its own work when the other was embedded by another model', async () => {
		const first = await test.addFile(ada, 'the same text');
		await makeProcess().run(first.id);
		const second = await test.addFile(ada, 'the same text');
		const other = makeProcess('other:3');
		await other.run(second.id);
		expect(other.embedder.texts).toEqual(['the same text']);
		expect(await look.get(second.id)).toMatchObject({ status: 'completed', chunk_count: 1 });
	});
});

describe('places in the queue', () => {
	it('are told to those who wait, with the time that others took, and move up', async () => {
		const { stages, pipeline } = makeProcess();
		const hold = gate();
		stages.beforePage = (_, { signal }) => hold.passed(signal);
		const rates = createRates(test.platform.db);
		const took = { compression: 1, extraction: 2, embedding: 60, total: 60 };
		for (let i = 0; i < 3; i++) await rates.learn({ fileType: 'text/plain', sizeBytes: 6 }, took);
		const positions = createPositions({
			files: test.files,
			queue: test.queue,
			rates,
			countLanes: async () => 2,
			log: silentLog
		});
		positions.start();
		await test.queue.work(pipeline);
		const ids: string[] = [];
		for (let i = 0; i < 5; i++) ids.push((await test.addFile(ada, `text ${i}`)).id);
		const places = async () => {
			const files = await Promise.all(ids.map(look.get));
			return files.flatMap(({ status, queue_position }) => (status === 'pending' ? [queue_position] : []));
		};
		await eventually(async () => expect(await places()).toEqual([1, 2, 3]));
		const waiting = (await Promise.all(ids.map(look.get))).filter(({ status }) => status === 'pending');
		const times = waiting.map(({ eta_seconds }) => eta_seconds ?? 0).toSorted((a, b) => a - b);
		// Two are at work; each of the others comes after one of them.
		expect(times[0]).toBeGreaterThan(60);
		expect(times.at(-1)).toBeLessThanOrEqual(180);
		hold.open();
		await eventually(async () => expect(await places()).toEqual([]));
		await positions.stop();
	});
});
