// Uploads in several requests, from outside: the protocol, what it refuses, and what a crash leaves.
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';
import { aTusPerson, said, tusHeaders } from './tus-person.ts';

const quota = 3_000_000;
const text = (bytes: number, word = 'harbour ') => Buffer.alloc(bytes, word);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

let server: TestServer;
let ada: Person;
let tus: ReturnType<typeof aTusPerson>;

beforeAll(async () => {
	server = await startServer({
		LOG_LEVEL: 'warn',
		MAX_FILE_BYTES: '2000000',
		USER_QUOTA_BYTES: String(quota)
	});
	await begin('ada@localhost');
});
afterAll(() => server.dispose());

async function begin(email: string) {
	ada = await enter(server, email);
	tus = aTusPerson(ada);
}

const partials = () => readdir(path.join(server.dataDir, 'uploads'));
const originalOf = async (id: string) =>
	Buffer.from(await (await ada.ask(`/api/files/${id}/content`)).arrayBuffer());

describe('an upload in several requests', () => {
	it('says what it speaks', async () => {
		const answer = await ada.ask('/api/uploads', { method: 'OPTIONS' });
		expect(answer.headers.get('tus-version')).toBe('1.0.0');
		expect(answer.headers.get('tus-extension')).toBe('creation,creation-with-upload,termination,expiration');
		expect(answer.headers.get('tus-max-size')).toBe('2000000');
		expect(answer.headers.get('access-control-allow-origin')).toBeNull();
	});

	it('becomes a file with its last byte, with name, folder and hash', async () => {
		const content = text(200_000);
		const url = await tus.begin({
			size: content.length,
			filename: 'größe.txt',
			path: 'Trips/2026',
			sha256: sha256(content)
		});
		const first = await tus.patch(url, 0, content.subarray(0, 90_000));
		expect([first.status, first.headers.get('upload-offset')]).toEqual([204, '90000']);
		expect(first.headers.get('upload-expires')).toBeTruthy();
		expect(first.headers.get('asura-file-id')).toBeNull();
		const where = await tus.head(url);
		expect([where.status, where.headers.get('upload-offset'), where.headers.get('upload-length')]).toEqual([
			200,
			'90000',
			'200000'
		]);
		const last = await tus.patch(url, 90_000, content.subarray(90_000));
		const id = last.headers.get('asura-file-id') ?? '';
		expect(await ada.get(id)).toMatchObject({
			filename: 'größe.txt',
			folder: 'Trips/2026',
			sha256: sha256(content),
			file_type: 'text/plain'
		});
		expect(await originalOf(id)).toEqual(content);
		expect(await partials()).toEqual([]);

		// Whoever lost the answer asks again, and is told of the same file.
		const again = [await tus.head(url), await tus.patch(url, content.length, Buffer.alloc(0))];
		expect(again.map(({ headers }) => headers.get('asura-file-id'))).toEqual([id, id]);
		expect((await ada.list()).filter(({ filename }) => filename === 'größe.txt')).toHaveLength(1);
	});

	it('can be one request, and what was there already is not kept twice', async () => {
		const content = text(70_000, 'buoy ');
		const ids = [];
		for (const filename of ['one.txt', 'two.txt']) {
			const answer = await tus.create({ size: content.length, filename, body: content });
			expect(answer.status).toBe(201);
			ids.push(answer.headers.get('asura-file-id') ?? '');
		}
		expect((await ada.get(ids[1] ?? '')).duplicate_of).toBe(ids[0]);
	});

	it('is found by its folder when a form sends the way to it', async () => {
		const answer = await ada.upload({ filename: 'Log books/May/first.txt', content: 'The log of May.' });
		expect(answer.body.files[0]).toMatchObject({ filename: 'first.txt', folder: 'Log books/May' });
		await eventually(async () => {
			const found = await (await ada.ask('/api/search?q=books')).json();
			expect(found.results[0]?.file.filename).toBe('first.txt');
		});
	});

	it('goes on where the connection broke, with what had arrived', async () => {
		const content = text(500_000, 'rope ');
		const url = await tus.begin({ size: content.length });
		await breakOff(url, content.subarray(0, 300_000), content.length);
		const offset = await eventually(async () => {
			const arrived = Number((await tus.head(url)).headers.get('upload-offset'));
			expect(arrived).toBeGreaterThan(0);
			return arrived;
		});
		const last = await tus.patch(url, offset, content.subarray(offset));
		expect(await originalOf(last.headers.get('asura-file-id') ?? '')).toEqual(content);
	});

	it('is not mixed by several senders: what one has brought, another goes on from', async () => {
		const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => `${i}\n`).join(''));
		const url = await tus.begin({ size: bytes.length, sha256: sha256(bytes) });
		const answers = await Promise.all([1, 2, 3].map(() => tus.patch(url, 0, bytes)));
		expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
		const { headers } = await tus.head(url);
		const offset = Number(headers.get('upload-offset'));
		const last =
			offset < bytes.length ? await tus.patch(url, offset, bytes.subarray(offset)) : await tus.head(url);
		expect(await originalOf(last.headers.get('asura-file-id') ?? '')).toEqual(bytes);
	});

	it('ends when its sender says so', async () => {
		const url = await tus.begin({ size: 1000 });
		await tus.patch(url, 0, text(500));
		expect((await tus.terminate(url)).status).toBe(204);
		expect((await tus.head(url)).status).toBe(404);
		expect(await partials()).toEqual([]);
	});
});

describe('an upload is refused', () => {
	it('when the whole is not what was announced, and nothing is left', async () => {
		await begin('careful@localhost');
		const url = await tus.begin({ size: 1000, sha256: sha256(Buffer.from('something else')) });
		expect(await said(await tus.patch(url, 0, text(1000)))).toBe('400 upload.corrupted');
		expect((await tus.head(url)).status).toBe(404);
		expect(await ada.list()).toEqual([]);
		expect(await partials()).toEqual([]);
	});

	it('when the bytes are of no type that can be read, as soon as that is clear', async () => {
		const url = await tus.begin({ size: 1_000_000, filename: 'notes.txt' });
		const noise = Buffer.alloc(200_000, Buffer.from([0, 1, 2, 200, 255]));
		expect(await said(await tus.patch(url, 0, noise))).toBe('415 file.unsupported_type');
		const gone = await tus.head(url);
		expect([gone.status, gone.headers.get('asura-error')]).toEqual([404, 'upload.not_found']);
		expect(await partials()).toEqual([]);
	});

	it.each([
		['an empty file', { size: 0 }, '400 upload.empty'],
		['a file that is too large', { size: 2_000_001 }, '413 upload.too_large'],
		['a folder that climbs', { size: 9, path: '../../etc' }, '400 upload.bad_folder'],
		['a folder without end', { size: 9, path: 'a/'.repeat(30) }, '400 upload.bad_folder'],
		['a hash that is none', { size: 9, sha256: 'abc' }, '400 request.invalid'],
		[
			'another version of the protocol',
			{ size: 9, headers: { 'tus-resumable': '0.2.0' } },
			'412 upload.wrong_protocol'
		],
		['another site', { size: 9, headers: { origin: 'http://elsewhere.example' } }, '403 auth.foreign_origin'],
		['nobody', { size: 9, headers: { cookie: '' } }, '401 auth.required']
	])('before a byte is sent: %s', async (_, upload, refusal) => {
		expect(await said(await tus.create(upload))).toBe(refusal);
		expect(await partials()).toEqual([]);
	});

	it('when more bytes come than were announced, or from the wrong place', async () => {
		const url = await tus.begin({ size: 1000 });
		expect(await said(await tus.patch(url, 0, text(2000)))).toBe('413 upload.too_large');
		expect(await said(await tus.patch(url, 10, text(10)))).toBe('409 upload.offset_conflict');
		expect(await said(await tus.patch(url, 0, text(10), { 'content-type': 'text/plain' }))).toBe(
			'400 request.invalid'
		);
		await tus.terminate(url);
	});

	it('when unfinished ones and files together fill the quota', async () => {
		await begin('full@localhost');
		const urls = [await tus.begin({ size: 1_900_000 })];
		expect(await said(await tus.create({ size: 1_900_000 }))).toBe('413 upload.quota_exceeded');
		const { status, body } = await ada.upload({ filename: 'a.txt', content: text(1_200_000) });
		expect([status, body.code]).toEqual([413, 'upload.quota_exceeded']);
		for (const url of urls) await tus.terminate(url);
		expect((await tus.create({ size: 1_900_000 })).status).toBe(201);
	});

	it('when a person has too many that are not finished', async () => {
		await begin('restless@localhost');
		const answers = await Promise.all(Array.from({ length: 201 }, () => tus.create({ size: 10 })));
		const refused = answers.filter(({ status }) => status !== 201);
		expect(await Promise.all(refused.map(said))).toEqual(['429 upload.too_many_open']);
	});

	it('when it is somebody else’s, as if it did not exist', async () => {
		await begin('ada@localhost');
		const url = await tus.begin({ size: 1000 });
		const eve = aTusPerson(await enter(server, 'eve@localhost'));
		expect((await eve.head(url)).status).toBe(404);
		expect(await said(await eve.patch(url, 0, text(1000)))).toBe('404 upload.not_found');
		expect(await said(await eve.terminate(url))).toBe('404 upload.not_found');
		expect((await tus.head(url)).headers.get('upload-offset')).toBe('0');
		for (const strange of [
			'/api/uploads/../db',
			'/api/uploads/%2e%2e%2fdb',
			'/api/uploads/x',
			'/api/uploads'
		])
			expect((await tus.patch(strange, 0, text(1))).status, strange).toBeGreaterThanOrEqual(400);
	});
});

it('a body that was refused unread does not stand in the way of the next request on its connection', async () => {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	const ask = async (method: string, path: string, body = Buffer.alloc(0)) => {
		const headers = {
			cookie: ada.cookie,
			origin: server.url,
			'tus-resumable': '0.2.0',
			'content-type': 'application/offset+octet-stream',
			'content-length': body.length
		};
		const asked = request(new URL(path, server.url), { method, agent, headers });
		asked.end(body);
		const response = await new Promise<IncomingMessage>((resolve, reject) => {
			asked.once('response', resolve).once('error', reject);
		});
		await response.toArray();
		return { status: response.statusCode, isReused: asked.reusedSocket };
	};
	expect(await ask('POST', '/api/uploads', text(2_000_000))).toEqual({ status: 412, isReused: false });
	expect(await ask('GET', '/healthz')).toEqual({ status: 200, isReused: true });
	agent.destroy();
});

/** Sends what it has and breaks off. */
function breakOff(url: string, bytes: Buffer, announced: number): Promise<void> {
	const asked = request(new URL(url, server.url), {
		method: 'PATCH',
		headers: {
			...tusHeaders,
			cookie: ada.cookie,
			origin: server.url,
			'upload-offset': '0',
			'content-type': 'application/offset+octet-stream',
			'content-length': announced
		}
	});
	return new Promise((resolve) => {
		asked.on('error', () => resolve());
		asked.write(bytes, () => setTimeout(() => asked.destroy(), 100));
		asked.on('close', () => resolve());
	});
}
