import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { makePdf } from '../../../../tests/support/make-files.ts';
import {
	multipartBody,
	multipartEnd,
	multipartType,
	type Part,
	partHead
} from '../../../../tests/support/multipart.ts';
import { toAppError } from '../errors.ts';
import { silentLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { createRoom } from '../room.ts';
import { createUploads } from './uploads.ts';

let test: TestFiles;
let ada: string;
let server: Server;
let url: URL;
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);

beforeAll(async () => {
	test = await openTestFiles();
	process.on('unhandledRejection', note);
});
afterAll(async () => {
	process.off('unhandledRejection', note);
	await test.close();
	expect(unhandled).toEqual([]);
});

beforeEach(async () => {
	ada = await test.platform.addUser();
	await serve();
});
afterEach(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));

type Options = { maxFileBytes?: number; userQuotaBytes?: number; stallMs?: number; reservedBytes?: number };

async function serve(options: Options = {}) {
	server?.close();
	const { maxFileBytes = 1e6, userQuotaBytes = 1e9, stallMs, reservedBytes } = options;
	const uploads = createUploads({
		blobs: test.platform.blobs,
		files: test.files,
		config: { maxFileBytes, userQuotaBytes },
		metrics: createMetrics(),
		room: createRoom(tmpdir(), reservedBytes),
		log: silentLog,
		stallMs
	});
	server = createServer((incoming, outgoing) => {
		const contentType = incoming.headers['content-type'] ?? null;
		const { signal } = new AbortController();
		uploads.receive({ userId: ada, body: incoming, contentType, signal }).then(
			(answer) => outgoing.writeHead(201).end(JSON.stringify(answer)),
			(error: unknown) => {
				const { status, code, message } = toAppError(error);
				outgoing.writeHead(status).end(JSON.stringify({ code, message }));
			}
		);
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	if (typeof address !== 'object' || address === null) throw new Error('no address');
	url = new URL(`http://127.0.0.1:${address.port}/`);
}

async function upload(parts: Part[]) {
	return post(multipartBody(parts));
}

async function post(body: Buffer, contentType = multipartType) {
	const response = await fetch(url, {
		method: 'POST',
		body: new Uint8Array(body),
		headers: { 'content-type': contentType }
	});
	return { status: response.status, body: await response.json() };
}

/** A request in hand: the test decides what is sent, and when it breaks. */
function open(headers: Record<string, string | number> = {}) {
	const sending = request(url, { method: 'POST', headers: { 'content-type': multipartType, ...headers } });
	const answer = once(sending, 'response').then(async ([response]: IncomingMessage[]) => ({
		status: response?.statusCode,
		body: response && JSON.parse(await text(response))
	}));
	answer.catch(() => undefined);
	sending.on('error', () => undefined);
	return { sending, answer };
}

const names = async () => (await test.files.list(ada, {})).files.map(({ filename }) => filename);

/** Blobs of earlier tests' people are not ours; what counts is that none came. */
async function expectNothingNew(before: string[]): Promise<void> {
	await eventually(async () => expect(await test.keys()).toEqual(before));
	expect(await names()).toEqual([]);
}

describe('an upload', () => {
	it('keeps each file, tells its true type, and queues its work', async () => {
		const pdf = makePdf(['Hello']);
		const { status, body } = await upload([
			{ filename: 'holiday.jpg', type: 'image/jpeg', content: pdf },
			{ filename: 'notes.md', content: '# Notes' }
		]);
		expect(status).toBe(201);
		expect(body.errors).toEqual([]);
		expect(body.files).toMatchObject([
			{ filename: 'holiday.jpg', file_type: 'application/pdf', size_bytes: pdf.length, status: 'pending' },
			{ filename: 'notes.md', file_type: 'text/markdown', size_bytes: 7 }
		]);
		expect(body.cursor).toEqual(expect.any(String));
		const [{ id }] = body.files;
		const { blob_id } = (await test.row(id)) ?? {};
		const stored = await test.platform.blobs.get(`${blob_id}/original`);
		expect(await buffer(stored)).toEqual(pdf);
		expect((await test.queue.live()).has(id)).toBe(true);
	});

	it('keeps names as people wrote them, without what could deceive', async () => {
		const { body } = await upload([
			{ filename: 'Größe 日本 🎉.txt', content: 'a' },
			{ filename: '../../etc/passwd', content: 'b' },
			{ filename: 'x\u202efdp.exe.txt', content: 'c' },
			{ filename: `${'ä'.repeat(300)}.pdf.txt`, content: 'd' },
			{ type: 'application/octet-stream', content: 'e' }
		]);
		expect(body.files.map((file: { filename: string }) => file.filename)).toEqual([
			'Größe 日本 🎉.txt',
			'passwd',
			'xfdp.exe.txt',
			`${'ä'.repeat(251)}.txt`,
			'untitled'
		]);
	});

	it('does not let one bad file fail the others', async () => {
		const { status, body } = await upload([
			{ filename: 'empty.txt', content: '' },
			{ filename: 'big.txt', content: 'x'.repeat(1_000_001) },
			{ filename: 'good.txt', content: 'good' },
			{ filename: 'program.txt', content: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0]) }
		]);
		expect(status).toBe(201);
		expect(body.files).toMatchObject([{ filename: 'good.txt' }]);
		expect(body.errors).toMatchObject([
			{ filename: 'empty.txt', code: 'upload.empty' },
			{ filename: 'big.txt', code: 'upload.too_large' },
			{ filename: 'program.txt', code: 'file.unsupported_type' }
		]);
	});

	it('answers with the first file’s own error when nothing was kept', async () => {
		const before = await test.keys();
		const tooLarge = await upload([
			{ filename: 'big.txt', content: 'x'.repeat(3_000_000) },
			{ filename: 'empty.txt', content: '' }
		]);
		expect(tooLarge).toMatchObject({ status: 413, body: { code: 'upload.too_large' } });
		expect(await upload([{ filename: 'e', content: '' }])).toMatchObject({
			status: 400,
			body: { code: 'upload.empty' }
		});
		await expectNothingNew(before);
	});

	it('stops at the quota, and two at once cannot both take the last of it', async () => {
		await serve({ userQuotaBytes: 1500 });
		const send = (letter: string) => upload([{ filename: letter, content: letter.repeat(1000) }]);
		const both = await Promise.all([send('a'), send('b')]);
		expect(both.map(({ status }) => status).toSorted()).toEqual([201, 413]);
		expect(await send('c')).toMatchObject({ status: 413, body: { code: 'upload.quota_exceeded' } });
	});

	it('leaves room on the disk for what is needed to go on', async () => {
		await serve({ reservedBytes: Number.MAX_SAFE_INTEGER });
		const before = await test.keys();
		expect(await upload([{ filename: 'a.txt', content: 'a' }])).toMatchObject({
			status: 507,
			body: { code: 'server.disk_full' }
		});
		await expectNothingNew(before);
	});

	it('says when somebody has the same bytes already, and stores them once', async () => {
		const first = await upload([{ filename: 'a.txt', content: 'the same bytes' }]);
		const before = await test.keys();
		const second = await upload([{ filename: 'b.txt', content: 'the same bytes' }]);
		expect(second).toMatchObject({
			status: 201,
			body: { files: [{ duplicate_of: first.body.files[0].id }] }
		});
		expect(await test.keys()).toEqual(before);
	});

	it('holds no file when nothing was chosen', async () => {
		const nothing = { status: 400, body: { code: 'upload.no_file' } };
		expect(await upload([])).toMatchObject(nothing);
		expect(await upload([{ filename: '', type: 'application/octet-stream', content: '' }])).toMatchObject(
			nothing
		);
		expect(await upload([{ name: 'other', filename: 'a.txt', content: 'a' }])).toMatchObject(nothing);
		expect(await upload([{ content: 'a field' }])).toMatchObject(nothing);
	});

	// A thousand transactions: half a minute on a machine that is busy with other tests.
	it(
		'survives a flood of fields and parts, and keeps the files up to the limit',
		{ timeout: 120_000 },
		async () => {
			const fields = Array.from({ length: 20_000 }, (_, i) => ({ name: `f${i}`, content: 'x' }));
			expect((await upload([...fields, { filename: 'a.txt', content: 'after the flood' }])).status).toBe(201);
			const many = Array.from({ length: 1_003 }, (_, i) => ({
				filename: `${i}.txt`,
				content: `${ada} ${i}`
			}));
			const { status, body } = await upload(many);
			expect(status).toBe(201);
			expect(body.files).toHaveLength(1_000);
			expect(body.errors).toMatchObject([{ code: 'upload.too_many_files' }]);
		}
	);
});

describe('a broken upload', () => {
	it('is refused as malformed and leaves nothing', async () => {
		const before = await test.keys();
		const malformed = { status: 400, body: { code: 'upload.malformed' } };
		expect(await post(Buffer.from('{}'), 'application/json')).toMatchObject(malformed);
		expect(await post(Buffer.from('x'), 'multipart/form-data')).toMatchObject(malformed);
		expect(await post(Buffer.from('no boundary anywhere'))).toMatchObject(malformed);
		const whole = multipartBody([{ filename: 'a.txt', content: 'cut off' }]);
		expect(await post(whole.subarray(0, -30))).toMatchObject(malformed);
		await expectNothingNew(before);
	});

	it('leaves nothing when the client goes away, and the server lives', async () => {
		const before = await test.keys();
		for (const content of ['', 'some text', 'x'.repeat(300_000)]) {
			const { sending } = open({ 'content-length': 900_000 });
			sending.write(partHead({ filename: 'a.txt' }) + content);
			await eventually(() => expect(sending.writableLength).toBe(0));
			sending.destroy();
		}
		await expectNothingNew(before);
		expect((await upload([{ filename: 'b.txt', content: 'still here' }])).status).toBe(201);
	});

	it('keeps the files that had arrived whole', async () => {
		const { sending } = open();
		sending.write(
			multipartBody([{ filename: 'whole.txt', content: `whole ${ada}` }]).subarray(0, -multipartEnd.length)
		);
		sending.write(`${partHead({ filename: 'half.txt' })}half`);
		await eventually(async () => expect(await names()).toEqual(['whole.txt']));
		sending.destroy();
		expect((await upload([{ filename: 'next.txt', content: `next ${ada}` }])).status).toBe(201);
		expect(await names()).toEqual(['next.txt', 'whole.txt']);
	});

	it('is given up when nothing comes for a while', async () => {
		await serve({ stallMs: 200 });
		const before = await test.keys();
		const { sending, answer } = open();
		sending.write(`${partHead({ filename: 'a.txt' })}and then silence`);
		expect(await answer).toMatchObject({ status: 400, body: { code: 'upload.interrupted' } });
		sending.destroy();
		await expectNothingNew(before);
	});

	it('shows a client that is still sending why the file was refused', async () => {
		const { sending, answer } = open();
		sending.write(partHead({ filename: 'big.txt' }));
		for (let i = 0; i < 40; i++) sending.write('x'.repeat(100_000));
		sending.end(`\r\n${multipartEnd}`);
		expect(await answer).toMatchObject({ status: 413, body: { code: 'upload.too_large' } });
	});
});
