// A large file passes the server, it is never held: memory while one GiB arrives, and afterwards while it is worked on.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { eventually } from '../support/eventually.ts';
import { mulberry32 } from '../support/make-files.ts';
import { multipartEnd, multipartType, partHead } from '../support/multipart.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';

const mib = 1024 ** 2;
const sentBytes = 1024 * mib;

let server: TestServer;
let ada: Person;
beforeAll(async () => {
	server = await startServer();
	ada = await enter(server);
	// Whatever is loaded or compiled at the first upload does not count.
	const { id } = await ada.add('first.txt', 'the first words');
	await ada.ended([id]);
});
afterAll(() => server?.dispose());

describe('one GiB', { timeout: 180_000 }, () => {
	it('arrives without growing the server by 150 MiB, and can be deleted while it is worked on', async () => {
		// The kernel forgets the peak so far; see proc(5).
		await writeFile(`/proc/${server.pid}/clear_refs`, '5');
		const before = await memoryMib('VmRSS');
		const { status, body } = await uploadText();
		const growth = (await memoryMib('VmHWM')) - before;
		expect(status).toBe(201);
		const [file] = body.files;
		expect(file).toMatchObject({ size_bytes: sentBytes, file_type: 'text/plain' });
		expect(growth).toBeLessThan(150);

		const { id = '' } = file ?? {};
		await eventually(async () => expect((await ada.get(id)).status).toBe('processing'), {
			timeoutMs: 20_000
		});
		expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
		expect((await ada.ask(`/api/files/${id}`, { method: 'DELETE' })).status).toBe(204);
		const next = await ada.add('next.txt', 'the next words');
		expect(await ada.ended([next.id])).toMatchObject([{ status: 'completed' }]);
	});
});

/** Generated while it is sent, the same pieces in another order each time, so that neither side has it whole. */
async function uploadText(): Promise<{ status: number; body: { files: StoredFile[] } }> {
	const random = mulberry32(1);
	const letters = Buffer.from('abcdefghijklmnopqrstuvwxyz      ,.\n');
	const pieces = Array.from({ length: 16 }, () =>
		Buffer.from(Array.from({ length: mib / 4 }, () => letters[Math.floor(random() * letters.length)] ?? 32))
	);
	const headers = { cookie: ada.cookie, origin: server.url, 'content-type': multipartType };
	const sending = request(new URL('/api/files/upload', server.url), { method: 'POST', headers });
	const answered = once(sending, 'response');
	sending.write(partHead({ filename: 'gibibyte.txt' }));
	for (let sent = 0; sent < sentBytes; sent += mib / 4) {
		const piece = pieces[Math.floor(random() * pieces.length)] ?? Buffer.alloc(0);
		if (!sending.write(piece)) await once(sending, 'drain');
	}
	sending.end(`\r\n${multipartEnd}`);
	const [answer] = await answered;
	let text = '';
	for await (const part of answer.setEncoding('utf8')) text += part;
	return { status: answer.statusCode, body: JSON.parse(text) };
}

async function memoryMib(field: 'VmRSS' | 'VmHWM'): Promise<number> {
	const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
	return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
}
