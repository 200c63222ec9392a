import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { type Look, lookAt, makePipeline, pagesOf } from '../../../../tests/support/pipeline.ts';
import { gate, makeEmbedder, makeStages } from '../../../../tests/support/stages.ts';
import { problem } from '../errors.ts';

let test: TestFiles;
let ada: string;
let look: Look;
const stages = makeStages();
const embedder = makeEmbedder();

beforeAll(async () => {
	test = await openTestFiles();
	await test.queue.work(makePipeline(test, { stages, embedder }));
});
afterAll(() => test.close());
beforeEach(async () => {
	ada = await test.platform.addUser();
	look = lookAt(test, ada);
	stages.reset();
	embedder.reset();
});

describe('a file', () => {
	it('is compressed, read, cut and embedded, and found with all of it', async () => {
		const { id } = await test.addFile(ada, 'first page\nsecond passage\fthe other page');
		await look.untilItIs(id, {
			status: 'completed',
			progress: 100,
			processing_stage: null,
			activity: null,
			page_count: 2,
			chunk_count: 3,
			compressed_bytes: 5,
			warnings: []
		});
		expect(await look.chunks(id)).toEqual([
			{ ordinal: 0, page: 1, text: 'first page' },
			{ ordinal: 1, page: 1, text: 'second passage' },
			{ ordinal: 2, page: 2, text: 'the other page' }
		]);
		expect(await look.countVectors()).toBe(3);
		const { blob_id, variants } = (await test.row(id)) ?? {};
		expect(variants).toMatchObject({ text: { type: 'text/plain', bytes: 40 }, compressed: { bytes: 5 } });
		await eventually(async () =>
			expect(await test.keys(`${blob_id}/`)).toEqual([
				`${blob_id}/compressed`,
				`${blob_id}/original`,
				`${blob_id}/text`
			])
		);
	});

	it('names the earliest stage that is not finished, and what is happening in it', async () => {
		const compressing = gate();
		const reading = gate();
		const embedding = gate();
		stages.beforeCompress = ({ signal }) => compressing.passed(signal);
		stages.beforePage = async (number, { signal }) => {
			if (number === 3) await reading.passed(signal);
		};
		embedder.before = (_, signal) => embedding.passed(signal);
		const { id } = await test.addFile(ada, pagesOf(4));
		await look.untilItIs(id, { status: 'processing', processing_stage: 'compression' });
		compressing.open();
		await look.untilItIs(id, {
			processing_stage: 'extraction',
			activity: { unit: 'pages', done: 2, total: 4 }
		});
		const { progress } = await look.get(id);
		expect(progress).toBeGreaterThan(0);
		reading.open();
		await look.untilItIs(id, {
			processing_stage: 'embedding',
			activity: { unit: 'chunks', done: 0, total: 40 }
		});
		expect((await look.get(id)).progress).toBeGreaterThan(progress);
		embedding.open();
		await look.untilItIs(id, { status: 'completed' });
	});

	it('is embedded while later pages are still being read, four batches at a time', async () => {
		const lastPage = gate();
		stages.beforePage = async (number, { signal }) => {
			if (number === 100) await lastPage.passed(signal);
		};
		const answers = gate();
		embedder.before = (_, signal) => answers.passed(signal);
		const { id } = await test.addFile(ada, pagesOf(100));
		await eventually(() => expect(embedder.mostOpen).toBe(4));
		answers.open();
		await eventually(async () => expect((await look.chunks(id)).length).toBeGreaterThan(900));
		expect((await look.get(id)).status).toBe('processing');
		lastPage.open();
		await look.untilItIs(id, { status: 'completed', chunk_count: 1000 });
		expect(embedder.mostOpen).toBe(4);
	});

	it('tells what was paid for it, by which model, and what it took', async () => {
		const aTime: unknown = expect.any(Number);
		embedder.tokens = 5;
		const { id } = await test.addFile(ada, 'paid once\npaid twice');
		await look.untilItIs(id, { status: 'completed' });
		expect(await test.files.details(ada, id)).toEqual({
			model: 'test:3',
			tokens: 10,
			estimated_usd: null,
			seconds: { compression: aTime, extraction: aTime, embedding: aTime }
		});
		const other = await test.addFile(ada, 'paid once\nand something new');
		await look.untilItIs(other.id, { status: 'completed' });
		expect(await test.files.details(ada, other.id)).toMatchObject({ tokens: 5 });
		const stranger = await test.platform.addUser();
		await expect(test.files.details(stranger, id)).rejects.toMatchObject({ code: 'file.not_found' });
	});

	it('pays the same text once, in one file and over all files of a person', async () => {
		const repeated = Array.from({ length: 200 }, (_, i) => `the same footer\nbody ${i}`).join('\f');
		const { id } = await test.addFile(ada, repeated);
		await look.untilItIs(id, { status: 'completed', chunk_count: 400 });
		const other = await test.addFile(ada, 'the same footer\nsomething new');
		await look.untilItIs(other.id, { status: 'completed' });
		expect(embedder.texts.filter((text) => text === 'the same footer')).toHaveLength(1);
		expect(embedder.texts).toHaveLength(202);
	});

	it('is completed with a warning that helps when nothing in it can be read', async () => {
		const { id } = await test.addFile(ada, '\n', { fileType: 'application/pdf' });
		await look.untilItIs(id, { status: 'completed', chunk_count: 0, warnings: [expect.anything()] });
		const { warnings } = await look.get(id);
		expect(warnings[0]).toEqual({
			code: 'pdf.no_text',
			message: 'The PDF has no text; it is probably a scan. Upload a version with a text layer.'
		});
	});

	it('says which pages failed', async () => {
		stages.extract = async function* () {
			for (let number = 1; number <= 200; number++) {
				const failed = { code: 'file.damaged', message: 'x', pages: [number] };
				const isBad = number === 17 || number === 90;
				yield { number, section: null, text: isBad ? '' : 'text', ...(isBad && { warning: failed }) };
			}
		};
		const { id } = await test.addFile(ada, 'a');
		await look.untilItIs(id, { status: 'completed', page_count: 200 });
		expect((await look.get(id)).warnings).toEqual([
			{ code: 'file.damaged', message: '198 of 200 pages were read; 17 and 90 failed.', pages: [17, 90] }
		]);
	});

	it('keeps a passage that the provider refuses, and says so', async () => {
		const { id } = await test.addFile(ada, 'fine\nrefused words\nfine too');
		await look.untilItIs(id, {
			status: 'completed',
			chunk_count: 3,
			warnings: [{ code: 'embedding.rejected' }]
		});
		expect(await look.chunks(id)).toHaveLength(3);
		expect(await look.countVectors()).toBe(2);
	});
});

describe('a failure', () => {
	it('is the file’s, with its code, and ends everything else that was going on', async () => {
		const never = gate();
		stages.beforeCompress = ({ signal }) => never.passed(signal);
		stages.beforePage = async (number) => {
			if (number === 3) throw problem('file.damaged');
		};
		const { id } = await test.addFile(ada, pagesOf(5));
		await look.untilItIs(id, {
			status: 'failed',
			error_code: 'file.damaged',
			error_message: 'The file is damaged and cannot be read.',
			activity: null
		});
		expect(embedder.open).toBe(0);
	});

	it('to compress a document in time is a warning: it can be read all the same', async () => {
		stages.beforeCompress = async () => {
			throw problem('stage.timed_out');
		};
		const document = await test.addFile(ada, 'text');
		await look.untilItIs(document.id, { status: 'completed', warnings: [{ code: 'stage.timed_out' }] });
		const picture = await test.addFile(ada, 'picture', { fileType: 'image/png' });
		await look.untilItIs(picture.id, { status: 'failed', error_code: 'stage.timed_out' });
	});

	it('says so when the bytes are gone', async () => {
		stages.beforePage = async () => {
			throw problem('file.damaged');
		};
		const { id } = await test.addFile(ada, 'text');
		await look.untilItIs(id, { status: 'failed', error_code: 'file.damaged' });
		await test.platform.blobs.remove([`${(await test.row(id))?.blob_id}/original`]);
		await test.files.retry(ada, id);
		await look.untilItIs(id, { status: 'failed', error_code: 'file.lost' });
	});

	it('that nobody foresaw is the job’s: it is delivered again', async () => {
		let calls = 0;
		stages.beforePage = async () => {
			if (++calls === 1) throw new TypeError('unforeseen');
		};
		const { id } = await test.addFile(ada, 'text');
		await look.untilItIs(id, { status: 'completed' });
		expect(calls).toBe(2);
	});
});

describe('another attempt', () => {
	it('goes on where the last one ended: nothing is made, read or paid twice', async () => {
		let isDown = true;
		embedder.before = async (texts) => {
			if (isDown && texts.includes('passage 0 of page 20')) throw problem('embedding.rejected');
		};
		const { id } = await test.addFile(ada, pagesOf(30));
		await look.untilItIs(id, { status: 'failed', error_code: 'embedding.rejected' });
		isDown = false;
		expect(await test.files.retry(ada, id)).toMatchObject({ status: 'pending', progress: 0 });
		await look.untilItIs(id, { status: 'completed', chunk_count: 300 });
		expect(stages.calls.compress).toBe(1);
		expect(new Set(embedder.texts).size).toBe(embedder.texts.length);
		expect((await look.chunks(id)).map(({ ordinal }) => ordinal)).toEqual(
			Array.from({ length: 300 }, (_, i) => i)
		);
	});

	it('need not read the file again when it was read to its end', async () => {
		let isDown = true;
		const read = gate();
		embedder.before = async (texts, signal) => {
			if (!isDown || !texts.includes('passage 0 of page 1')) return;
			await read.passed(signal);
			throw problem('embedding.rejected');
		};
		const { id } = await test.addFile(ada, pagesOf(3));
		await look.untilItIs(id, { status: 'processing', processing_stage: 'embedding' });
		read.open();
		await look.untilItIs(id, { status: 'failed' });
		isDown = false;
		await test.files.retry(ada, id);
		await look.untilItIs(id, { status: 'completed', chunk_count: 30, page_count: 3 });
		expect(stages.calls).toEqual({ compress: 1, extract: 1 });
	});

	it('uses the password it was given, which is not stored', async () => {
		stages.beforePage = async (_, { password }) => {
			if (password !== 'open sesame') throw problem('pdf.encrypted');
		};
		const { id } = await test.addFile(ada, 'secret text');
		await look.untilItIs(id, { status: 'failed', error_code: 'pdf.encrypted' });
		await test.files.retry(ada, id, { password: 'open sesame' });
		await look.untilItIs(id, { status: 'completed' });
		await eventually(async () => expect(await test.files.passwords.find(id)).toBeUndefined());
		const { rows } = await test.platform.db.query('select * from pgboss.job');
		expect(JSON.stringify([rows, await test.row(id)])).not.toContain('sesame');
	});
});

describe('a completed file', () => {
	it('is processed again when that is asked for, and keeps its passages until then', async () => {
		const { id } = await test.addFile(ada, 'first\nsecond\nthird');
		await look.untilItIs(id, { status: 'completed', chunk_count: 3 });
		const twin = await test.addFile(ada, 'first\nsecond\nthird');
		await look.untilItIs(twin.id, { status: 'completed', chunk_count: 3 });
		await expect(test.files.retry(ada, id)).rejects.toMatchObject({ code: 'file.not_retryable' });
		const reading = gate();
		stages.extract = async function* ({ signal }) {
			await reading.passed(signal);
			yield { number: 1, section: null, text: 'first\nanother' };
		};
		expect(await test.files.retry(ada, id, { again: true })).toMatchObject({
			status: 'pending',
			progress: 0
		});
		await look.untilItIs(id, { status: 'processing' });
		expect(await look.chunks(id)).toHaveLength(3);
		reading.open();
		await look.untilItIs(id, { status: 'completed', chunk_count: 2 });
		expect((await look.chunks(id)).map(({ text }) => text)).toEqual(['first', 'another']);
		expect(embedder.texts.toSorted()).toEqual(['another', 'first', 'second', 'third']);
		expect((await test.row(twin.id))?.variants).toEqual((await test.row(id))?.variants);
	});
});

describe('cancel and delete', () => {
	it.each(['cancel', 'remove'] as const)(
		'%s ends the work within a second and leaves nothing',
		async (how) => {
			const never = gate();
			embedder.before = async (texts, signal) => {
				if (texts.includes('passage 0 of page 20')) await never.passed(signal);
			};
			const { id } = await test.addFile(ada, pagesOf(30));
			const { blob_id } = (await test.row(id)) ?? {};
			await eventually(async () => expect((await look.chunks(id)).length).toBeGreaterThan(0));
			const startedAt = performance.now();
			await test.files[how](ada, id);
			expect(performance.now() - startedAt).toBeLessThan(1_000);
			expect(test.queue.inHand()).toBe(0);
			expect(embedder.open).toBe(0);
			expect(await look.chunks(id)).toEqual([]);
			expect(await look.countVectors()).toBe(0);
			expect(await test.keys(`${blob_id}/`)).toEqual(how === 'cancel' ? [`${blob_id}/original`] : []);
			if (how === 'cancel') expect(await look.get(id)).toMatchObject({ status: 'cancelled' });
		}
	);
});

describe('a duplicate', () => {
	it('waits for the file it equals and takes over its work', async () => {
		const reading = gate();
		stages.beforePage = (_, { signal }) => reading.passed(signal);
		const first = await test.addFile(ada, 'the same\ntext');
		await look.untilItIs(first.id, { status: 'processing' });
		const second = await test.addFile(ada, 'the same\ntext', { filename: 'copy.txt' });
		reading.open();
		await look.untilItIs(first.id, { status: 'completed' });
		await look.untilItIs(second.id, {
			status: 'completed',
			chunk_count: 2,
			compressed_bytes: 5,
			duplicate_of: first.id
		});
		expect(stages.calls).toEqual({ compress: 1, extract: 1 });
		await test.files.remove(ada, first.id);
		expect(await look.chunks(second.id)).toHaveLength(2);
		expect(await look.countVectors()).toBe(2);
	});
});
