// Asura's side of an external processor, with the processor in the hands of the test. (tests/http/processor.test.ts has
// the example of the docs as its own process.)
import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json, text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessingJob } from '#lib/shared/processing-report.ts';
import { createBell } from '../files/bell.ts';
import { silentLog } from '../log.ts';
import { createProcessor, type Processor, takes } from './processor.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { type Look, lookAt, makePipeline } from '../../../../tests/support/pipeline.ts';
import { makeEmbedder, makeStages } from '../../../../tests/support/stages.ts';

const key = 'a shared secret of both sides';
const timeoutSeconds = 2;

let test: TestFiles;
let ada: string;
let look: Look;
let processor: Processor;
let service: Server;
let jobs: { job: ProcessingJob; headers: IncomingHttpHeaders }[];
let answer: (response: ServerResponse, job: ProcessingJob) => void | Promise<void>;
const embedder = makeEmbedder();

beforeAll(async () => {
	test = await openTestFiles();
	service = createServer((request, response) => {
		void json(request).then((body) => {
			const job = body as ProcessingJob;
			jobs.push({ job, headers: request.headers });
			return answer(response, job);
		});
	});
	await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
	processor = createProcessor({
		...test.platform,
		bell: createBell({ db: test.platform.db, log: silentLog }),
		wake: test.queue.wake,
		content: test.files.content,
		config: {
			types: ['audio/*'],
			url: `http://127.0.0.1:${(service.address() as AddressInfo).port}/jobs`,
			key,
			timeoutSeconds,
			ownOrigin: 'http://asura.test'
		}
	});
	const pipeline = makePipeline(test, { stages: makeStages(), embedder, processor });
	await test.queue.work(pipeline);
});
afterAll(async () => {
	service.close();
	await test.close();
});
beforeEach(async () => {
	ada = await test.platform.addUser();
	look = lookAt(test, ada);
	jobs = [];
	answer = (response) => void response.writeHead(202).end();
	embedder.reset();
});
afterEach(async () => {
	for (const { id } of (await test.files.list(ada, {})).files) await test.files.remove(ada, id);
});

const addSound = () =>
	test.addFile(ada, `sound ${randomUUID()}`, { filename: 'talk.mp3', fileType: 'audio/mpeg' });

/** A file that the processor has taken, with its job. */
async function handOver(): Promise<{ id: string; job: ProcessingJob }> {
	const { id } = await addSound();
	const job = await eventually(() => {
		const found = jobs.findLast(({ job }) => job.documentId === id);
		if (!found) throw new Error('not yet');
		return found.job;
	});
	return { id, job };
}

type Call = { run?: string | null; headers?: Record<string, string>; address?: string };

const reportRaw = (body: string, { run = null, headers, address = '10.0.0.1' }: Call = {}) =>
	processor.report({
		headers: new Headers(headers ?? { 'x-webhook-key': key }),
		address,
		run,
		read: async () => body
	});
const report = (
	documentId: string,
	status: string,
	metadata: object = {},
	call: Call & { message?: string } = {}
) => reportRaw(JSON.stringify({ documentId, status, message: call.message ?? '', metadata }), call);
const runOf = ({ callback_url }: ProcessingJob) => new URL(callback_url).searchParams.get('run');
const coded = (code: string) => expect.objectContaining({ code });

describe('a file for the processor', () => {
	it('is handed over as the docs say, signed, and its bytes can be fetched once it is', async () => {
		const { id, job } = await handOver();
		const file = await look.get(id);
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
		const { headers } = jobs.find((one) => one.job === job) ?? {};
		const timestamp = String(headers?.['x-webhook-timestamp']);
		const expected = createHmac('sha256', key)
			.update(`${timestamp}.${JSON.stringify(job)}`)
			.digest('hex');
		expect(headers).toMatchObject({ 'x-webhook-key': key, 'x-webhook-signature': `sha256=${expected}` });
		const content = await fetchFrom(job);
		expect(content.headers).toMatchObject({
			'x-content-type-options': 'nosniff',
			'cache-control': 'private, no-store',
			'content-disposition': expect.stringMatching(/^attachment/)
		});
		expect(await text((await content.open?.()) ?? [])).toMatch(/^sound /);
	});

	it('goes through the reports to the end, forwards only, and is found by what was read', async () => {
		const { id } = await handOver();
		const seen: number[] = [];
		const note = async () => void seen.push((await look.get(id)).progress);
		expect(await report(id, 'parsing_started')).toBe('accepted');
		await note();
		expect(await report(id, 'parsing', { progress: 40 })).toBe('accepted');
		expect(await look.get(id)).toMatchObject({ status: 'processing', processing_stage: 'extraction' });
		await note();
		expect(await report(id, 'parsing', { progress: 10 })).toBe('accepted');
		await note();
		const pages = [
			{ number: 1, text: 'The harbour\0 at night' },
			{ number: 2, text: 'The quay \ud800 by day' }
		];
		expect(await report(id, 'parsed', { pages })).toBe('accepted');
		await note();
		await look.untilItIs(id, {
			status: 'completed',
			progress: 100,
			page_count: 2,
			chunk_count: 2,
			warnings: []
		});
		expect(seen).toEqual(seen.toSorted((a, b) => a - b));
		expect((await look.chunks(id)).map(({ page, text }) => [page, text])).toEqual([
			[1, 'The harbour at night'],
			[2, 'The quay \ufffd by day']
		]);
		// A service that goes on regardless is told that nobody needs it, without an error.
		expect(await report(id, 'parsed', { pages })).toBe('repeated');
		await expect(report(id, 'embedded')).rejects.toEqual(coded('processor.not_waiting'));
	});

	it('is completed with a warning when the service embeds and sends no text', async () => {
		const { id } = await handOver();
		await report(id, 'parsed');
		await report(id, 'embedding', { progress: 50, embedding_count: 7 });
		expect(await look.get(id)).toMatchObject({ processing_stage: 'embedding' });
		expect(await report(id, 'embedded')).toBe('accepted');
		await look.untilItIs(id, {
			status: 'completed',
			chunk_count: 0,
			warnings: [expect.objectContaining({ code: 'processor.nothing_searchable' })]
		});
		expect(await report(id, 'embedded')).toBe('repeated');
	});

	it('takes the text also when it comes with the last report, or in a second one', async () => {
		const late = await handOver();
		expect(await report(late.id, 'embedded', { text: 'late words' })).toBe('accepted');
		const twice = await handOver();
		expect(await report(twice.id, 'parsed')).toBe('accepted');
		expect(await report(twice.id, 'parsed', { text: 'second words' })).toBe('accepted');
		await look.untilItIs(late.id, { status: 'completed', chunk_count: 1 });
		await look.untilItIs(twice.id, { status: 'completed', chunk_count: 1 });
	});

	it('fails with the words of the service, and is handed over again at a retry', async () => {
		const { id, job } = await handOver();
		await report(id, 'failed', { error: 'x' }, { message: `no speech in it ${'!'.repeat(600)}` });
		await look.untilItIs(id, { status: 'failed', error_code: 'processor.failed' });
		expect((await look.get(id)).error_message).toContain('no speech in it');
		expect((await look.get(id)).error_message?.length).toBeLessThan(600);
		await test.files.retry(ada, id);
		await eventually(() => expect(jobs.filter((one) => one.job.documentId === id)).toHaveLength(2));
		// The first job's mark is good for nothing any more.
		await expect(report(id, 'parsed', { text: 'old' }, { run: runOf(job) })).rejects.toEqual(
			coded('processor.not_waiting')
		);
		const { job: second } = jobs.findLast((one) => one.job.documentId === id) ?? {};
		expect(await report(id, 'parsed', { text: 'new' }, { run: second ? runOf(second) : '' })).toBe(
			'accepted'
		);
		await look.untilItIs(id, { status: 'completed', chunk_count: 1 });
	});

	it('that is never heard of fails as silent; each report gives it more time', async () => {
		const { id } = await handOver();
		const startedAt = performance.now();
		await eventually(
			async () => {
				await report(id, 'parsing');
				expect(performance.now() - startedAt).toBeGreaterThan(1.5 * timeoutSeconds * 1000);
			},
			{ everyMs: 400 }
		);
		expect((await look.get(id)).status).toBe('processing');
		await look.untilItIs(id, { status: 'failed', error_code: 'processor.silent' });
	});

	it('loses no report that comes before the processor has answered the job', async () => {
		answer = async (response, job) => {
			await report(job.documentId, 'parsed', { text: 'quick words' }, { run: runOf(job) });
			response.writeHead(200).end();
		};
		const { id } = await addSound();
		await look.untilItIs(id, { status: 'completed', chunk_count: 1 });
	});

	it('is offered again to a service that refuses', async () => {
		let asked = 0;
		answer = (response) => void response.writeHead(asked++ === 0 ? 503 : 202).end();
		const { id } = await addSound();
		await look.untilItIs(id, { activity: expect.objectContaining({ unit: 'seconds_waiting' }) });
		// Its time comes by itself; the person need not wait.
		await test.files.prefer(ada, id);
		await eventually(() => expect(asked).toBe(2));
		await report(id, 'parsed', { text: 'words' });
		await look.untilItIs(id, { status: 'completed' });
	});
});

describe('a report', () => {
	it('that repeats, lies behind or comes after the end changes nothing', async () => {
		const { id } = await handOver();
		expect(await report(id, 'parsed')).toBe('accepted');
		expect(await report(id, 'parsed')).toBe('repeated');
		expect(await report(id, 'parsing_started')).toBe('outdated');
		expect(await report(id, 'parsing', { progress: 1 })).toBe('outdated');
		const before = await look.get(id);
		await test.files.cancel(ada, id);
		await expect(report(id, 'embedded')).rejects.toEqual(coded('processor.not_waiting'));
		expect(await look.get(id)).toMatchObject({ status: 'cancelled', progress: before.progress });
		await test.files.remove(ada, id);
		await expect(report(id, 'embedded')).rejects.toEqual(coded('file.not_found'));
	});

	it('on a file that is unknown, or not the processor’s, finds nothing', async () => {
		const notes = await test.addFile(ada);
		for (const id of [randomUUID(), 'test', notes.id])
			await expect(report(id, 'embedded')).rejects.toEqual(coded('file.not_found'));
		expect((await look.get(notes.id)).error_code).toBeNull();
	});

	it('that is malformed is refused', async () => {
		const { id } = await handOver();
		const pages = (page: unknown) => ({ documentId: id, status: 'parsed', metadata: { pages: [page] } });
		for (const body of [
			'',
			'{',
			'null',
			'{}',
			JSON.stringify({ documentId: id, status: 'done' }),
			JSON.stringify(pages({ number: 0, text: '' })),
			JSON.stringify(pages({ number: 1 })),
			JSON.stringify({ documentId: id, status: 'parsing', metadata: { progress: 101 } })
		])
			await expect(reportRaw(body), body).rejects.toEqual(coded('request.invalid'));
	});

	it('is believed only with the key, and with a signature only if it is right and young', async () => {
		const { id } = await handOver();
		const body = JSON.stringify({ documentId: id, status: 'parsing' });
		const signedAt = (seconds: number, what = body) => ({
			'x-webhook-key': key,
			'x-webhook-timestamp': String(seconds),
			'x-webhook-signature': `sha256=${createHmac('sha256', key).update(`${seconds}.${what}`).digest('hex')}`
		});
		const now = Math.floor(Date.now() / 1000);
		expect(await reportRaw(body, { headers: signedAt(now) })).toBe('accepted');
		const { 'x-webhook-timestamp': _, ...untimed } = signedAt(now);
		for (const headers of [
			{},
			{ 'x-webhook-key': 'something else altogether' },
			{ 'x-webhook-key': key.slice(0, -1) },
			signedAt(now - 301),
			signedAt(now + 301),
			signedAt(now, `${body} `),
			{ ...signedAt(now), 'x-webhook-timestamp': String(now - 1) },
			untimed,
			{ ...signedAt(now), 'x-webhook-key': 'something else altogether' }
		])
			await expect(reportRaw(body, { headers, address: '10.0.0.2' })).rejects.toEqual(
				coded('processor.refused')
			);
	});

	it('is not read before its sender is known, and guessing is slowed down', async () => {
		let reads = 0;
		const guess = () =>
			processor.report({
				headers: new Headers({ 'x-webhook-key': 'a guess' }),
				address: '10.0.0.3',
				run: null,
				read: async () => String(reads++)
			});
		const codes = await Promise.all(
			Array.from({ length: 30 }, () => guess().catch((error: { code: string }) => error.code))
		);
		expect(codes).toContain('request.too_many');
		expect(reads).toBe(0);
	});

	it('comes at most so often for one file', async () => {
		const { id } = await handOver();
		const results = await Promise.allSettled(Array.from({ length: 60 }, () => report(id, 'parsing')));
		const refused = results.filter((one) => one.status === 'rejected');
		expect(refused.length).toBeGreaterThan(20);
		expect(refused[0]).toMatchObject({ reason: { code: 'request.too_many' } });
	});
});

describe('the link to the bytes', () => {
	it('is good for one file, for a while, and while the file is at work', async () => {
		const one = await handOver();
		const [run = '', expires = '', signature = ''] = one.job.download_url.split('/').slice(-3);
		const other = await handOver();
		const [otherRun = ''] = other.job.download_url.split('/').slice(-3);
		const headers = new Headers();
		const later = String(Number(expires) + 1);
		for (const wrong of [
			{ run: otherRun, expires, signature },
			{ run, expires: later, signature },
			{ run, expires, signature: `${signature}x` },
			{ run: '%', expires: 'x', signature: '' }
		])
			await expect(processor.download(wrong, headers)).rejects.toEqual(coded('request.not_found'));
		await fetchFrom(one.job);
		await report(one.id, 'parsed', { text: 'words' });
		await look.untilItIs(one.id, { status: 'completed' });
		await expect(fetchFrom(one.job)).rejects.toEqual(coded('processor.link_expired'));
		await test.files.cancel(ada, other.id);
		await expect(fetchFrom(other.job)).rejects.toEqual(coded('processor.link_expired'));
	});
});

it('a type is named alone or with its kind', () => {
	expect(takes(['audio/*', 'video/mp4'], 'audio/mpeg')).toBe(true);
	expect(takes(['audio/*', 'video/mp4'], 'video/mp4')).toBe(true);
	expect(takes(['audio/*', 'video/mp4'], 'video/webm')).toBe(false);
	expect(takes(['audio/*'], 'audiobook/x')).toBe(false);
});

function fetchFrom({ download_url }: ProcessingJob) {
	const [run = '', expires = '', signature = ''] = download_url.split('/').slice(-3);
	return processor.download({ run, expires, signature }, new Headers());
}
