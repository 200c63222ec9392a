// Scans and pictures with the real stages, and with a model that sees over real HTTP.
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { makeImage, makePdf } from '../../../../tests/support/make-files.ts';
import { type Look as LookAt, lookAt, makePipeline } from '../../../../tests/support/pipeline.ts';
import {
	type Look,
	type ProviderDouble,
	type Said,
	startProviderDouble
} from '../../../../tests/support/provider.ts';
import { gate, makeEmbedder } from '../../../../tests/support/stages.ts';
import { createVision } from '../embedder/vision.ts';
import { silentLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { section } from './pictures.ts';
import { createStages } from './stages/stages.ts';

const fileType = 'application/pdf';
/** Pages without text; the more spaces, the brighter. */
const scan = (pages: number) => Array.from({ length: pages }, (_, i) => ' '.repeat(i));
const brightness = async ({ picture }: Look) =>
	Math.round((await sharp(picture).stats()).channels[0]?.mean ?? 0);

const stages = createStages({ config: { workerConcurrency: 2 }, log: silentLog });
const embedder = makeEmbedder();
let test: TestFiles;
let double: ProviderDouble;
let describePicture: (look: Look) => Promise<Partial<Said> | undefined>;
let vision: ReturnType<typeof createVision>;
let ada: string;
let look: LookAt;

beforeAll(async () => {
	test = await openTestFiles();
	double = await startProviderDouble({ describe: (one) => describePicture(one) });
	const provider = { apiKey: 'none', baseUrl: double.url, model: 'x', dimensions: 8 };
	const deps = { metrics: createMetrics(), log: silentLog, tuning: { firstDelayMs: 5, longestDelayMs: 40 } };
	vision = createVision({ config: { provider, visionModel: 'seer' }, ...deps });
	const seeing = makePipeline(test, { stages, embedder, vision });
	const blind = makePipeline(test, { stages, embedder });
	await test.queue.work({
		run: (job, signal) => (vision ? seeing : blind).run(job, signal),
		giveUp: seeing.giveUp
	});
});
afterAll(async () => {
	await test.close();
	await stages.close();
	await double.close();
});
beforeEach(async () => {
	ada = await test.platform.addUser();
	look = lookAt(test, ada);
	double.calls.length = 0;
	double.looks.length = 0;
	double.peak = 0;
	describePicture = async (one) => ({ content: `brightness ${await brightness(one)}` });
});
afterEach(() => double.failWhen(undefined));

const passages = async (id: string) => {
	const { rows } = await test.platform.db.query<{ page: number; section: string; text: string }>(
		'select page, section, text from public.chunks where file_id = $1 order by ordinal',
		[id]
	);
	return rows;
};

const hashOf = (model: string, picture: Buffer) =>
	createHash('sha256').update(model).update(picture).digest('hex');
const keptReadings = async (id: string) => test.keys(`${(await test.row(id))?.blob_id}/seen-`);

describe('a scan', () => {
	it('is read page by page, two at a time, in order, and marked as the words of a model', async () => {
		const secondSeen = gate();
		let first = true;
		describePicture = async (one) => {
			const content = `brightness ${await brightness(one)}`;
			if (!first) secondSeen.open();
			else {
				first = false;
				await secondSeen.passed();
			}
			return { content };
		};
		const { id } = await test.addFile(ada, makePdf(scan(5)), { fileType });
		await look.untilItIs(id, { status: 'completed', page_count: 5, chunk_count: 5, warnings: [] });
		const read = await passages(id);
		expect(read.map(({ page }) => page)).toEqual([1, 2, 3, 4, 5]);
		expect(read.every((one) => one.section === section)).toBe(true);
		const values = read.map(({ text }) => Number(text.split(' ')[1]));
		expect(values).toEqual([...new Set(values)].toSorted((a, b) => a - b));
		expect(double.peak).toBe(2);
		await eventually(async () => expect(await keptReadings(id)).toEqual([]));
	});

	it('shows pages of at most 2,000 pixels, and only those without text', async () => {
		const { id } = await test.addFile(ada, makePdf(['words of its own', '']), { fileType });
		await look.untilItIs(id, { status: 'completed', page_count: 2, warnings: [] });
		expect(double.looks).toHaveLength(1);
		const { format, width, height } = await sharp(double.looks[0]?.picture).metadata();
		expect({ format, width, height }).toEqual({ format: 'jpeg', width: 1413, height: 2000 });
		expect(await passages(id)).toMatchObject([
			{ page: 1, section: null, text: 'words of its own' },
			{ page: 2, section }
		]);
	});

	it('counts the pages that were read, and lets go at once when it is cancelled', async () => {
		describePicture = () => new Promise(() => undefined);
		const { id } = await test.addFile(ada, makePdf(['text', ...scan(6)]), { fileType });
		await look.untilItIs(id, {
			processing_stage: 'extraction',
			activity: { unit: 'pages', done: 1, total: 7 }
		});
		await eventually(() => expect(double.calls).toHaveLength(2));
		expect(await look.get(id)).toMatchObject({ activity: { done: 1 } });
		const start = performance.now();
		await test.files.cancel(ada, id);
		await eventually(async () => expect((await test.queue.stats()).active).toBe(0));
		expect(performance.now() - start).toBeLessThan(1000);
	});

	it('waits while the provider says "later", and goes on', async () => {
		double.failWhen(({ number }) =>
			number === 2 ? { kind: 'rate_limited', retryAfterSeconds: 2 } : undefined
		);
		const { id } = await test.addFile(ada, makePdf(scan(3)), { fileType });
		await look.untilItIs(id, { activity: { unit: 'seconds_waiting', total: 2, done: expect.anything() } });
		await look.untilItIs(id, { status: 'completed', chunk_count: 3, warnings: [] });
	});

	it('costs what reading its pictures cost, refused ones too, and over all attempts', async () => {
		let calls = 0;
		describePicture = () =>
			Promise.resolve({
				usage: { prompt_tokens: 1000, completion_tokens: 20 },
				...(++calls === 2 && { refusal: 'no' })
			});
		double.failWhen(({ number }) => (number === 4 ? { kind: 'status', status: 401 } : undefined));
		const { id } = await test.addFile(ada, makePdf(scan(4)), { fileType });
		await look.untilItIs(id, { status: 'failed' });
		double.failWhen(undefined);
		await test.files.retry(ada, id);
		await look.untilItIs(id, { status: 'completed' });
		// Three pages and the refused one, which is asked for again.
		expect((await test.files.details(ada, id)).tokens).toBe(5 * 1020);
	});

	it('keeps its other pages when one is refused, and says which one', async () => {
		let calls = 0;
		describePicture = async (one) =>
			++calls === 2 ? undefined : { content: `seen ${await brightness(one)}` };
		const { id } = await test.addFile(ada, makePdf(['text', ...scan(3)]), { fileType });
		await look.untilItIs(id, { status: 'completed', page_count: 4, chunk_count: 3 });
		const { warnings } = await look.get(id);
		expect(warnings).toMatchObject([{ code: 'vision.refused', pages: [expect.any(Number)] }]);
	});

	it('of which everything is refused has no text, and says so', async () => {
		describePicture = () => Promise.resolve(undefined);
		const { id } = await test.addFile(ada, makePdf(scan(2)), { fileType });
		await look.untilItIs(id, { status: 'completed', chunk_count: 0 });
		const codes = (await look.get(id)).warnings.map(({ code }) => code);
		expect(codes).toEqual(['vision.refused', 'pdf.no_text']);
	});

	it('that failed half-way is not paid again for the pages that were read', async () => {
		double.failWhen(({ number }) => (number === 4 ? { kind: 'status', status: 401 } : undefined));
		const { id } = await test.addFile(ada, makePdf(scan(5)), { fileType });
		await look.untilItIs(id, { status: 'failed', error_code: 'embedding.rejected' });
		const kept = await keptReadings(id);
		expect(kept.length).toBeGreaterThanOrEqual(2);
		double.failWhen(undefined);
		await test.files.retry(ada, id);
		await look.untilItIs(id, { status: 'completed', chunk_count: 5, warnings: [] });
		// The two that were in flight may have been seen twice; what was kept was not.
		const keys = double.looks.map(({ picture, model }) => hashOf(`${model}\n`, picture));
		const again = keys.filter((hash) => kept.some((key) => key.endsWith(hash)));
		expect(again).toHaveLength(kept.length);
	});
});

describe('a picture', () => {
	it('is found by what is seen in it, beside what it says of itself', async () => {
		describePicture = () => Promise.resolve({ content: 'A cat\u0000 on a roof.' });
		const bytes = await makeImage({ width: 2400, height: 1200 });
		const { id } = await test.addFile(ada, bytes, { fileType: 'image/png', filename: 'holiday.png' });
		await look.untilItIs(id, { status: 'completed', warnings: [] });
		const found = await passages(id);
		expect(found[0]).toMatchObject({ section: null, text: expect.stringContaining('holiday.png') });
		expect(found.at(-1)).toEqual({ page: null, section, text: 'A cat on a roof.' });
		const { width, height } = await sharp(double.looks[0]?.picture).metadata();
		expect({ width, height }).toEqual({ width: 2000, height: 1000 });
	});
});

it('is off unless a model is configured: nothing is sent, and a scan says what helps', async () => {
	const configured = vision;
	vision = undefined;
	try {
		const { id } = await test.addFile(ada, makePdf(scan(2)), { fileType });
		await look.untilItIs(id, { status: 'completed', chunk_count: 0, warnings: [{ code: 'pdf.no_text' }] });
		expect(double.calls).toEqual([]);
	} finally {
		vision = configured;
	}
});
