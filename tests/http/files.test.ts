// Files over real HTTP, through Kit and everything in front of it, with the real stages behind it.
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { eventually } from '../support/eventually.ts';
import { makeImage, makePdf, pageText } from '../support/make-files.ts';
import { multipartType, partHead } from '../support/multipart.ts';
import { signIn, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let cookie: string;

beforeAll(async () => {
	server = await startServer({ MAX_FILE_BYTES: '5000000' });
	cookie = await signIn(server);
});
afterAll(() => server.dispose());

async function ask(path: string, options: RequestInit = {}) {
	const headers = { cookie, origin: server.url, ...Object.fromEntries(new Headers(options.headers)) };
	return fetch(new URL(path, server.url), { ...options, headers });
}

async function upload(...files: File[]) {
	const body = new FormData();
	for (const file of files) body.append('file', file);
	const answer = await ask('/api/files/upload', { method: 'POST', body });
	return { status: answer.status, body: await answer.json() };
}

const file = (name: string, content: string | Buffer) =>
	new File([typeof content === 'string' ? content : new Uint8Array(content)], name);

const get = async (id: string): Promise<StoredFile> => (await ask(`/api/files/${id}`)).json();

describe('files over HTTP', () => {
	it('are kept, processed, listed, served and deleted', { timeout: 60_000 }, async () => {
		const pdf = makePdf([pageText(1), pageText(2)]);
		const { status, body } = await upload(
			file('Bücher.pdf', pdf),
			file('picture.png', await makeImage()),
			file('notes.md', '# Notes\n\nA lantern in the harbour.'),
			file('nothing.txt', '')
		);
		expect(status).toBe(201);
		expect(body.errors).toMatchObject([{ filename: 'nothing.txt', code: 'upload.empty' }]);
		const ids: string[] = body.files.map(({ id }: StoredFile) => id);
		expect(ids).toHaveLength(3);
		for (const id of ids) {
			await eventually(async () => expect(await get(id)).toMatchObject({ status: 'completed' }), {
				timeoutMs: 30_000
			});
		}
		const [pdfId = '', imageId = ''] = ids;
		expect(await get(pdfId)).toMatchObject({ filename: 'Bücher.pdf', page_count: 2, progress: 100 });

		const list = await (await ask('/api/files?limit=2')).json();
		expect(list.files).toHaveLength(2);
		const rest = await (await ask(`/api/files?limit=2&after=${list.next}`)).json();
		expect([...list.files, ...rest.files].map(({ id }: StoredFile) => id).toSorted()).toEqual(ids.toSorted());

		const whole = await ask(`/api/files/${pdfId}/content`);
		expect(Buffer.from(await whole.arrayBuffer())).toEqual(pdf);
		expect(whole.headers.get('content-disposition')).toContain("filename*=UTF-8''B%C3%BCcher.pdf");
		expect(whole.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
		const part = await ask(`/api/files/${pdfId}/content`, { headers: { range: 'bytes=0-3' } });
		expect([part.status, await part.text()]).toEqual([206, '%PDF']);
		const head = await ask(`/api/files/${pdfId}/content`, { method: 'HEAD' });
		expect([head.status, head.headers.get('content-length')]).toEqual([200, String(pdf.length)]);
		const text = await ask(`/api/files/${pdfId}/content?variant=text&inline=1`);
		expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
		expect(await text.text()).toContain('only2');
		const thumbnail = await ask(`/api/files/${imageId}/content?variant=thumbnail&inline=1`);
		expect(thumbnail.headers.get('content-type')).toBe('image/webp');
		const preview = await ask(`/api/files/${imageId}/content?variant=preview&inline=1`);
		expect(preview.headers.get('content-type')).toBe('image/webp');

		expect((await ask(`/api/files/${pdfId}`, { method: 'DELETE' })).status).toBe(204);
		expect((await ask(`/api/files/${pdfId}`)).status).toBe(404);
		expect((await ask(`/api/files/${pdfId}/content`)).status).toBe(404);
	});

	it('answer errors as the contract says', async () => {
		const { body } = await upload(file('a.txt', 'some text'));
		const id: string = body.files[0].id;
		await eventually(async () => expect((await get(id)).status).toBe('completed'), { timeoutMs: 20_000 });
		const code = async (path: string, options?: RequestInit) => {
			const answer = await ask(path, options);
			return `${answer.status} ${(await answer.json()).code}`;
		};
		const post = { method: 'POST' };
		expect(await code(`/api/files/${id}/cancel`, post)).toBe('409 file.not_cancellable');
		expect(await code(`/api/files/${id}/retry`, post)).toBe('409 file.not_retryable');
		expect(await code(`/api/files/${id}/retry`, { ...post, body: '{"password":1}' })).toBe(
			'400 request.invalid'
		);
		expect(await code(`/api/files/${id}/next`, post)).toBe('409 file.not_waiting');
		expect(await code('/api/files/retry', { ...post, body: '{"status":"completed"}' })).toBe(
			'400 request.invalid'
		);
		const retried = await ask('/api/files/retry', { ...post, body: '{"status":"failed"}' });
		expect([retried.status, await retried.json()]).toEqual([202, { files: [] }]);
		expect((await ask(`/api/files/${id}/retry`, { ...post, body: '{"again":true}' })).status).toBe(202);
		await eventually(async () => expect((await get(id)).status).toBe('completed'), { timeoutMs: 20_000 });
		expect(await code('/api/files/not-an-id')).toBe('404 file.not_found');
		expect(await code('/api/files?limit=0')).toBe('400 request.invalid');
		expect(await code(`/api/files/${id}/content?variant=nothing`)).toBe('400 request.invalid');
		expect(await code(`/api/files/${id}/content`, { headers: { range: 'bytes=99-' } })).toBe(
			'416 file.range_invalid'
		);
		expect(await code('/api/files/upload', { ...post, body: 'x' })).toBe('400 upload.malformed');
		expect(await code(`/api/files/${id}`, { headers: { cookie: '' } })).toBe('401 auth.required');
		expect((await upload(file('big.txt', 'x'.repeat(5_000_001)))).body.code).toBe('upload.too_large');
	});

	it('survive clients that go away in the middle of an upload', async () => {
		const before = await (await ask('/api/files')).json();
		for (let i = 0; i < 5; i++) {
			const sending = request(new URL('/api/files/upload', server.url), {
				method: 'POST',
				headers: { cookie, origin: server.url, 'content-type': multipartType, 'content-length': 1_000_000 }
			});
			sending.on('error', () => undefined);
			sending.write(partHead({ filename: 'half.txt' }) + 'half of it '.repeat(i * 5_000));
			await eventually(() => expect(sending.writableLength).toBe(0));
			sending.destroy();
		}
		expect((await upload(file('whole.txt', 'still here'))).status).toBe(201);
		const after = await (await ask('/api/files')).json();
		expect(after.files).toHaveLength(before.files.length + 1);
		expect(server.output()).not.toMatch(/unhandled|uncaught|unexpected error/i);
	});

	it('belong to one person', async () => {
		const { body } = await upload(file('mine.txt', 'mine alone'));
		const id: string = body.files[0].id;
		const stranger = await signIn(server, 'bob@localhost');
		const asBob = { headers: { cookie: stranger } };
		expect((await ask(`/api/files/${id}`, asBob)).status).toBe(404);
		expect((await ask(`/api/files/${id}/content`, asBob)).status).toBe(404);
		expect((await ask(`/api/files/${id}`, { method: 'DELETE', ...asBob })).status).toBe(404);
		expect((await (await ask('/api/files', asBob)).json()).files).toEqual([]);
	});
});
