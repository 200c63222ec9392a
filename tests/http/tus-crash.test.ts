// kill -9 while bytes arrive: what had arrived is not sent again, and one upload never becomes two files.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';
import { aTusPerson, tusHeaders } from './tus-person.ts';

let server: TestServer;
let ada: Person;
let tus: ReturnType<typeof aTusPerson>;

beforeAll(begin);
afterAll(() => server.dispose());

async function begin() {
	server = await startServer({ LOG_LEVEL: 'warn', ...(server && { DATA_DIR: server.dataDir }) });
	ada = await enter(server);
	tus = aTusPerson(ada);
}

const partialOf = (url: string) => path.join(server.dataDir, 'uploads', url.split('/').at(-1) ?? '');

async function crashAndStart() {
	await server.kill();
	await begin();
}

it('goes on after a crash in the middle of a request, from the last byte that had arrived', async () => {
	const content = Buffer.alloc(3_000_000, 'lighthouse ');
	const sha256 = createHash('sha256').update(content).digest('hex');
	const url = await tus.begin({ size: content.length, sha256 });
	expect((await tus.patch(url, 0, content.subarray(0, 1_000_000))).status).toBe(204);
	const asked = request(new URL(url, server.url), {
		method: 'PATCH',
		headers: {
			...tusHeaders,
			cookie: ada.cookie,
			origin: server.url,
			'upload-offset': '1000000',
			'content-type': 'application/offset+octet-stream',
			'content-length': '2000000'
		}
	});
	const broken = once(asked, 'error');
	asked.write(content.subarray(1_000_000, 2_000_000));
	const arrived = await eventually(async () => {
		const { size } = await stat(partialOf(url));
		expect(size).toBeGreaterThan(1_000_000);
		return size;
	});
	await crashAndStart();
	await broken;
	const offset = Number((await tus.head(url)).headers.get('upload-offset'));
	expect(offset).toBeGreaterThanOrEqual(arrived);
	const last = await tus.patch(url, offset, content.subarray(offset));
	expect(await ada.get(last.headers.get('asura-file-id') ?? '')).toMatchObject({
		sha256,
		size_bytes: 3_000_000
	});
}, 60_000);

it('becomes one file when the crash came between the last byte and the row', async () => {
	const content = Buffer.alloc(500_000, 'anchor ');
	const url = await tus.begin({ size: content.length, filename: 'anchor.txt' });
	await tus.patch(url, 0, content.subarray(0, 400_000));
	await server.kill();
	// As it is when the last bytes were written and nothing came after.
	await writeFile(partialOf(url), content);
	await begin();
	const ids = await Promise.all([tus.head(url), tus.head(url)]).then((answers) =>
		answers.map(({ headers }) => headers.get('asura-file-id'))
	);
	expect(ids[0]).toBeTruthy();
	await crashAndStart();
	ids.push((await tus.patch(url, content.length, Buffer.alloc(0))).headers.get('asura-file-id'));
	expect(new Set(ids).size).toBe(1);
	expect((await ada.list()).filter(({ filename }) => filename === 'anchor.txt')).toHaveLength(1);
}, 60_000);
