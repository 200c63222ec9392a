import { readdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { useTempFolder } from '../../../../tests/support/temp-folder.ts';
import { silentLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { createRoom } from '../room.ts';
import { createResumable, type Resumable } from './resumable.ts';

const folder = useTempFolder();
let test: TestFiles;
let ada: string;
let resumable: Resumable;

beforeEach(async () => {
	test = await openTestFiles();
	ada = await test.platform.addUser();
	resumable = open();
});
afterEach(() => test.close());

function open(reservedBytes?: number): Resumable {
	return createResumable({
		folder: folder(),
		db: test.platform.db,
		blobs: test.platform.blobs,
		files: test.files,
		config: { maxFileBytes: 1e6, userQuotaBytes: 1e6 },
		metrics: createMetrics(),
		room: createRoom(folder(), reservedBytes),
		log: silentLog,
		reachProject: () => Promise.reject(new Error('there are no projects')),
		stallMs: 100
	});
}

function ask(method: string, url: string, headers: Record<string, string> = {}, body?: BodyInit) {
	const init = {
		method,
		headers: { 'tus-resumable': '1.0.0', ...headers },
		...(body && { body, duplex: 'half' })
	};
	return resumable.handle(ada, new Request(new URL(url, 'http://asura'), init));
}

const begin = async (size = 1000) =>
	(await ask('POST', '/api/uploads', { 'upload-length': String(size) })).headers.get('location') ?? '';
const grow = (url: string, body: BodyInit) =>
	ask('PATCH', url, { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }, body);

describe('a resumable upload', () => {
	it('that nobody continues for a day is forgotten, with its bytes, and counts no more', async () => {
		const url = await begin();
		await grow(url, 'half of it');
		const file = path.join(folder(), url.split('/').at(-1) ?? '');
		expect(await test.files.usedBytes(ada)).toBe(1000);
		expect(await resumable.removeExpired()).toBe(0);

		await test.platform.db.query(`update asura.uploads set touched_at = now() - interval '25 hours'`);
		await utimes(file, 0, 0);
		await expect(ask('HEAD', url)).rejects.toMatchObject({ code: 'upload.not_found' });
		expect(await resumable.removeExpired()).toBe(1);
		expect(await readdir(folder())).toEqual([]);
		expect(await test.files.usedBytes(ada)).toBe(0);
	});

	it('is not begun, and does not grow, where there is no room for it', async () => {
		const url = await begin();
		resumable = open(Number.MAX_SAFE_INTEGER);
		await expect(grow(url, 'x')).rejects.toMatchObject({ code: 'server.disk_full', status: 507 });
		await expect(begin()).rejects.toMatchObject({ code: 'server.disk_full' });
		resumable = open();
		expect((await ask('HEAD', url)).headers.get('upload-offset')).toBe('0');
		expect(await readdir(folder())).toHaveLength(1);
	});

	it('that is alive keeps its bytes, however old they are', async () => {
		const url = await begin();
		await utimes(path.join(folder(), url.split('/').at(-1) ?? ''), 0, 0);
		expect(await resumable.removeExpired()).toBe(0);
		expect((await ask('HEAD', url)).headers.get('upload-offset')).toBe('0');
	});

	it('whose sender falls silent is given up, with what had arrived', async () => {
		const url = await begin();
		const silent = new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode('harbour')) });
		await expect(grow(url, silent)).rejects.toMatchObject({ code: 'upload.interrupted' });
		expect((await ask('HEAD', url)).headers.get('upload-offset')).toBe('7');
	});

	it('is found no more when its file was deleted: it can be sent again', async () => {
		const url = await begin(7);
		const id = (await grow(url, 'harbour')).headers.get('asura-file-id') ?? '';
		await test.files.remove(ada, id);
		await expect(ask('HEAD', url)).rejects.toMatchObject({ code: 'upload.not_found' });
	});
});
