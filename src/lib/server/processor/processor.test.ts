// What becomes of a file that an external processor reads. (tests/http/processor.test.ts has the example of the docs as
// its own process.)
import { createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { takes } from './processor.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import {
	coded,
	key,
	openProcessorTest,
	type ProcessorTest,
	runOf,
	timeoutSeconds
} from '../../../../tests/support/processor.ts';

let outside: ProcessorTest;

beforeAll(async () => {
	outside = await openProcessorTest();
});
beforeEach(() => outside.reset());
afterAll(() => outside.close());

describe('a file for the processor', () => {
	it('is handed over as the docs say, signed, and its bytes can be fetched once it is', async () => {
		const { id, job } = await outside.handOver();
		const file = await outside.look.get(id);
		expect(job).toEqual({
			documentId: id,
			filename: 'talk.mp3',
			file_type: 'audio/mpeg',
			size_bytes: file.size_bytes,
			download_url: expect.stringMatching(/^http:\/\/asura\.test\/api\/v1\/processor\/[\w-]+\/\d+\/[\w-]+$/),
			callback_url: expect.stringMatching(
				/^http:\/\/asura\.test\/api\/v1\/events\/webhook\/document-processing\?run=/
			)
		});
		const { headers } = outside.jobs.find((given) => given.job === job) ?? {};
		const timestamp = String(headers?.['x-webhook-timestamp']);
		const expected = createHmac('sha256', key)
			.update(`${timestamp}.${JSON.stringify(job)}`)
			.digest('hex');
		expect(headers).toMatchObject({ 'x-webhook-key': key, 'x-webhook-signature': `sha256=${expected}` });
		const content = await outside.fetchFrom(job);
		expect(content.headers).toMatchObject({
			'x-content-type-options': 'nosniff',
			'cache-control': 'private, no-store',
			'content-disposition': expect.stringMatching(/^attachment/)
		});
		expect(await text((await content.open?.()) ?? Readable.from([]))).toMatch(/^sound /);
	});

	it('goes through the reports to the end, forwards only, and is found by what was read', async () => {
		const { id } = await outside.handOver();
		const seen: number[] = [];
		const note = async () => void seen.push((await outside.look.get(id)).progress);
		expect(await outside.report(id, 'parsing_started')).toBe('accepted');
		await note();
		expect(await outside.report(id, 'parsing', { progress: 40 })).toBe('accepted');
		const reading = { processing_stage: 'extraction', stage_progress: { compression: 1, extraction: 0.4 } };
		expect(await outside.look.get(id)).toMatchObject(reading);
		await note();
		expect(await outside.report(id, 'parsing', { progress: 10 })).toBe('accepted');
		expect(await outside.look.get(id)).toMatchObject(reading);
		await note();
		const pages = [
			{ number: 1, text: 'The harbour\0 at night' },
			{ number: 2, text: 'The quay \ud800 by day' }
		];
		expect(await outside.report(id, 'parsed', { pages })).toBe('accepted');
		await note();
		await outside.look.untilItIs(id, {
			status: 'completed',
			progress: 100,
			page_count: 2,
			chunk_count: 2,
			warnings: []
		});
		expect(seen).toEqual(seen.toSorted((a, b) => a - b));
		expect((await outside.look.chunks(id)).map(({ page, text }) => [page, text])).toEqual([
			[1, 'The harbour at night'],
			[2, 'The quay \ufffd by day']
		]);
		// A service that goes on regardless is told that nobody needs it, without an error.
		expect(await outside.report(id, 'parsed', { pages })).toBe('repeated');
		await expect(outside.report(id, 'embedded')).rejects.toEqual(coded('processor.not_waiting'));
	});

	it('is completed with a warning when the service embeds and sends no text', async () => {
		const { id } = await outside.handOver();
		await outside.report(id, 'parsed');
		await outside.report(id, 'embedding', { progress: 50, embedding_count: 7 });
		expect(await outside.look.get(id)).toMatchObject({ processing_stage: 'embedding' });
		expect(await outside.report(id, 'embedded')).toBe('accepted');
		await outside.look.untilItIs(id, {
			status: 'completed',
			chunk_count: 0,
			warnings: [expect.objectContaining({ code: 'processor.nothing_searchable' })]
		});
		expect(await outside.report(id, 'embedded')).toBe('repeated');
	});

	it('takes the text also when it comes with the last report, or in a second one', async () => {
		const late = await outside.handOver();
		expect(await outside.report(late.id, 'embedded', { text: 'late words' })).toBe('accepted');
		const twice = await outside.handOver();
		expect(await outside.report(twice.id, 'parsed')).toBe('accepted');
		expect(await outside.report(twice.id, 'parsed', { text: 'second words' })).toBe('accepted');
		await outside.look.untilItIs(late.id, { status: 'completed', chunk_count: 1 });
		await outside.look.untilItIs(twice.id, { status: 'completed', chunk_count: 1 });
	});

	it('fails with the words of the service, and is handed over again at a retry', async () => {
		const { id, job } = await outside.handOver();
		await outside.report(id, 'failed', { error: 'x' }, { message: `no speech in it ${'!'.repeat(600)}` });
		await outside.look.untilItIs(id, { status: 'failed', error_code: 'processor.failed' });
		expect((await outside.look.get(id)).error_message).toContain('no speech in it');
		expect((await outside.look.get(id)).error_message?.length).toBeLessThan(600);
		await outside.files.retry(outside.ada, id);
		await eventually(() =>
			expect(outside.jobs.filter((given) => given.job.documentId === id)).toHaveLength(2)
		);
		// The first job's mark is good for nothing any more.
		await expect(outside.report(id, 'parsed', { text: 'old' }, { run: runOf(job) })).rejects.toEqual(
			coded('processor.not_waiting')
		);
		const { job: second } = outside.jobs.findLast((given) => given.job.documentId === id) ?? {};
		expect(await outside.report(id, 'parsed', { text: 'new' }, { run: second ? runOf(second) : '' })).toBe(
			'accepted'
		);
		await outside.look.untilItIs(id, { status: 'completed', chunk_count: 1 });
	});

	it('that is never heard of fails as silent; each report gives it more time', async () => {
		const { id } = await outside.handOver();
		const startedAt = performance.now();
		await eventually(
			async () => {
				await outside.report(id, 'parsing');
				expect(performance.now() - startedAt).toBeGreaterThan(1.5 * timeoutSeconds * 1000);
			},
			{ everyMs: 400 }
		);
		expect((await outside.look.get(id)).status).toBe('processing');
		await outside.look.untilItIs(id, { status: 'failed', error_code: 'processor.silent' });
	});

	it('is not called silent for the time in which nobody here could hear it', async () => {
		const { id } = await outside.handOver();
		const { db } = outside.platform;
		await eventually(async () => {
			const sql = `update asura.processor_runs set heard_at = now() - interval '1 hour'
				where file_id = $1 and taken_at is not null`;
			expect((await db.query(sql, [id])).rowCount).toBe(1);
		});
		const claim = await outside.files.claim({ fileId: id, attempt: 0, sizeBytes: 1, tries: 0 });
		if (!claim) throw new Error('The file is not at work.');
		const how = { signal: new AbortController().signal, prepare: async () => undefined };
		const reading = await outside.reopen().read(claim, 0, how);
		expect(reading).toMatchObject({ sleep: { inSeconds: timeoutSeconds + 1 } });
	});

	it('loses no report that comes before the processor has answered the job', async () => {
		outside.answer = async (response, job) => {
			await outside.report(job.documentId, 'parsed', { text: 'quick words' }, { run: runOf(job) });
			response.writeHead(200).end();
		};
		const { id } = await outside.addSound();
		await outside.look.untilItIs(id, { status: 'completed', chunk_count: 1 });
	});

	it('is offered again to a service that refuses', async () => {
		let asked = 0;
		outside.answer = (response) => void response.writeHead(asked++ === 0 ? 503 : 202).end();
		const { id } = await outside.addSound();
		await outside.look.untilItIs(id, { activity: expect.objectContaining({ unit: 'seconds_waiting' }) });
		// Its time comes by itself; the person need not wait.
		await outside.files.prefer(outside.ada, id);
		await eventually(() => expect(asked).toBe(2));
		await outside.report(id, 'parsed', { text: 'words' });
		await outside.look.untilItIs(id, { status: 'completed' });
	});
});

it('a type is named alone or with its kind', () => {
	expect(takes(['audio/*', 'video/mp4'], 'audio/mpeg')).toBe(true);
	expect(takes(['audio/*', 'video/mp4'], 'video/mp4')).toBe(true);
	expect(takes(['audio/*', 'video/mp4'], 'video/webm')).toBe(false);
	expect(takes(['audio/*'], 'audiobook/x')).toBe(false);
});
