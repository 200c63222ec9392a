// Uploads as programs send them: odd names, the same bytes from everywhere, bodies that are not what they say, clients
// that go away or stand still. What arrived whole is kept, of the rest there is no row and no byte.
import { type ClientRequest, request } from 'node:http';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '#lib/shared/limits.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import { eventually } from '../support/eventually.ts';
import { makePdf, mulberry32, pageText } from '../support/make-files.ts';
import { boundary, multipartBody, multipartEnd, multipartType, partHead } from '../support/multipart.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';

let server: TestServer;
let ada: Person;

beforeAll(async () => {
	server = await startServer();
	ada = await enter(server);
});
afterAll(() => server?.dispose());

describe('a client', () => {
	const random = mulberry32(11);

	it('that goes away at any byte leaves nothing and disturbs nobody', { timeout: 60_000 }, async () => {
		const dora = await enter(server, 'dora@localhost');
		const blobs = await listBlobs();
		const body = Buffer.from(partHead({ filename: 'gone.txt' }) + 'gone before its end '.repeat(20_000));
		const aborted = Array.from({ length: 25 }, async () => {
			const sending = begin(dora);
			const gone = new Promise((resolve) => sending.once('close', resolve));
			const end = Math.floor(random() * body.length);
			sending.write(body.subarray(0, end), () => sending.destroy());
			await gone;
		});
		await Promise.all(aborted);
		expect(await dora.list()).toEqual([]);
		await eventually(async () => expect(await listBlobs()).toEqual(blobs));
		expect((await dora.upload({ filename: 'whole.txt', content: 'still here' })).status).toBe(201);
		expect(server.output()).not.toMatch(/unhandled|uncaught|unexpected error/i);
	});

	it('that stands still keeps nobody waiting', { timeout: 60_000 }, async () => {
		const stalled = Array.from({ length: 60 }, () => {
			const sending = begin(ada);
			sending.write(`${partHead({ filename: 'stalled.txt' })}and then nothing`);
			return sending;
		});
		await eventually(() => expect(stalled.every(({ writableLength }) => writableLength === 0)).toBe(true));
		const emil = await enter(server, 'emil@localhost');
		const { id } = await emil.add('quick.txt', 'quick words');
		expect(await emil.ended([id], 10_000)).toMatchObject([{ status: 'completed' }]);
		expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
		for (const sending of stalled) sending.destroy();
	});
});

describe('a name', () => {
	it.each([
		['../../../../etc/passwd', 'passwd'],
		['..\\..\\boot.ini', 'boot.ini'],
		['/absolute/path.txt', 'path.txt'],
		['..', 'untitled'],
		['   ', 'untitled'],
		['tab\tin it.txt', 'tabin it.txt'],
		['line\u2028separator.txt', 'lineseparator.txt'],
		['\u202Etxt.exe', 'txt.exe'],
		['عربي עברית.txt', 'عربي עברית.txt'],
		['👩‍👩‍👧 family.txt', '👩‍👩‍👧 family.txt'],
		['<img src=x onerror=alert(1)>.html', '<img src=x onerror=alert(1)>.html'],
		['$(rm -rf ~); `id` & | .txt', '$(rm -rf ~); `id` & | .txt'],
		["'; drop table files; --.txt", "'; drop table files; --.txt"],
		[`${'long'.repeat(100)}.txt`, `${'long'.repeat(100).slice(0, 251)}.txt`],
		['😀'.repeat(300), '😀'.repeat(255)]
	])('is kept as people see it and leads nowhere: %j', async (given, kept) => {
		const { status, body } = await ada.upload({ filename: given, content: `named ${given}` });
		expect(status).toBe(201);
		const [file] = body.files;
		expect(file?.filename).toBe(kept);
		const content = await ada.ask(`/api/files/${file?.id}/content`);
		expect(content.status).toBe(200);
		expect(await content.text()).toBe(`named ${given}`);
	});
});

describe('a part without a name', () => {
	it('is no file, as a form sends it in which nothing was chosen', async () => {
		const { status, body } = await ada.upload({ filename: '', content: '' });
		expect(`${status} ${body.code}`).toBe('400 upload.no_file');
	});
});

describe('the same file again', () => {
	it('is one blob per person, however many arrive at once', { timeout: 60_000 }, async () => {
		const bob = await enter(server, 'bob@localhost');
		const content = makePdf([pageText(40), pageText(41)]);
		const sends = [ada, bob].flatMap((person) =>
			Array.from({ length: 5 }, (_, i) => person.add(i % 2 ? 'same.pdf' : `copy ${i}.pdf`, content))
		);
		const files = await Promise.all(sends);
		for (const [person, mine] of [
			[ada, files.slice(0, 5)],
			[bob, files.slice(5)]
		] as const) {
			const ended = await person.ended(idsOf(mine), 40_000);
			expect(ended.map(({ status }) => status)).toEqual(Array(5).fill('completed'));
			expect(new Set(ended.map(({ page_count, chunk_count }) => `${page_count} ${chunk_count}`)).size).toBe(
				1
			);
			const originals = ended.filter(({ duplicate_of }) => duplicate_of === null);
			expect(originals).toHaveLength(1);
			for (const { duplicate_of, id } of ended)
				if (id !== originals[0]?.id) expect(duplicate_of).toBe(originals[0]?.id);
		}
	});
});

describe('a body', () => {
	const one = multipartBody([{ filename: 'a.txt', content: 'some words' }]);

	it.each<[string, string | undefined, string | Buffer, string]>([
		['of another type', 'application/json', '{}', '400 upload.malformed'],
		['of no type', undefined, one, '400 upload.malformed'],
		['without a boundary', 'multipart/form-data', one, '400 upload.malformed'],
		['with another boundary', 'multipart/form-data; boundary=other', one, '400 upload.malformed'],
		['that is empty', multipartType, '', '400 upload.malformed'],
		['without parts', multipartType, multipartEnd, '400 upload.no_file'],
		['that never ends', multipartType, one.subarray(0, one.length - 10), '400 upload.malformed'],
		[
			'with a part without headers',
			multipartType,
			`--${boundary}\r\n\r\nwords\r\n${multipartEnd}`,
			'400 upload.malformed'
		],
		[
			'with endless headers',
			multipartType,
			`--${boundary}\r\nX: ${'x'.repeat(200_000)}\r\n\r\nwords\r\n${multipartEnd}`,
			'400 upload.malformed'
		],
		['of fields', multipartType, multipartBody([{ name: 'file', content: 'a field' }]), '400 upload.no_file'],
		[
			'with a file by another name',
			multipartType,
			multipartBody([{ name: 'files', filename: 'a', content: 'b' }]),
			'400 upload.no_file'
		]
	])('is refused: %s', async (_, type, content, refusal) => {
		const before = await ada.list();
		const answer = await send(content, type === undefined ? {} : { 'content-type': type });
		expect(`${answer.status} ${answer.code}`).toBe(refusal);
		expect(await ada.list()).toEqual(before);
	});

	it('needs no length', async () => {
		expect(await send(one, { 'content-type': multipartType, 'transfer-encoding': 'chunked' })).toMatchObject({
			status: 201
		});
	});

	it('of more files than allowed is kept up to the limit', { timeout: 60_000 }, async () => {
		const frank = await enter(server, 'frank@localhost');
		const parts = Array.from({ length: limits.maxFilesPerRequest + 1 }, (_, i) => ({
			filename: `${i}.txt`,
			content: `tiny ${i}`
		}));
		const { status, body } = await frank.upload(...parts);
		expect(status).toBe(201);
		expect(body.files).toHaveLength(limits.maxFilesPerRequest);
		expect(body.errors).toMatchObject([{ code: 'upload.too_many_files' }]);
		expect(await frank.list()).toHaveLength(limits.maxFilesPerRequest);
		// A thousand files of one person keep nobody else waiting.
		const gina = await enter(server, 'gina@localhost');
		const { id } = await gina.add('single.txt', 'a single file');
		expect(await gina.ended([id], 10_000)).toMatchObject([{ status: 'completed' }]);
	});

	it('may be one of very many at once', { timeout: 60_000 }, async () => {
		const carl = await enter(server, 'carl@localhost');
		const sends = Array.from({ length: 100 }, (_, i) => carl.add(`${i}.txt`, `one of many ${i}`));
		const files = await Promise.all(sends);
		expect(new Set(idsOf(files)).size).toBe(100);
		expect(await carl.list()).toHaveLength(100);
	});
});

function begin({ cookie }: Person): ClientRequest {
	const headers = { cookie, origin: server.url, 'content-type': multipartType };
	const sending = request(new URL('/api/files/upload', server.url), {
		method: 'POST',
		headers,
		agent: false
	});
	return sending.on('error', () => undefined);
}

/** Byte by byte as given: fetch would put headers right. */
function send(
	content: string | Buffer,
	headers: Record<string, string>
): Promise<{ status: number; code?: string }> {
	return new Promise((resolve, reject) => {
		const url = new URL('/api/files/upload', server.url);
		const all = { cookie: ada.cookie, origin: server.url, ...headers };
		const sending = request(url, { method: 'POST', headers: all, agent: false }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (part: string) => (text += part));
			answer.on('end', () => resolve({ ...JSON.parse(text), status: answer.statusCode }));
		});
		sending.on('error', reject).end(content);
	});
}

/** What was sent, and what is on its way; what is made of it comes and goes by itself. */
async function listBlobs(): Promise<string[]> {
	const names = await readdir(path.join(server.dataDir, 'files'), { recursive: true });
	return names.filter((name) => /\/original$|^\.incoming\/./.test(name)).toSorted();
}

function idsOf(files: readonly StoredFile[]): string[] {
	return files.map(({ id }) => id);
}
