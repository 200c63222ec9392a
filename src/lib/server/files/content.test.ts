import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import type { ContentRequest } from './content.ts';
import { parseRange } from './range.ts';
import { dispositionOf } from './served-as.ts';

let test: TestFiles;
let ada: string;
const content = '0123456789';

beforeAll(async () => {
	test = await openTestFiles();
	ada = await test.platform.addUser();
});
afterAll(() => test.close());

async function ask(id: string, headers: Record<string, string> = {}, more: Partial<ContentRequest> = {}) {
	const answer = await test.files.content({
		userId: ada,
		id,
		variant: 'original',
		isInline: false,
		headers: new Headers(headers),
		...more
	});
	return { ...answer, body: answer.open && (await text(await answer.open())) };
}

describe('the content of a file', () => {
	it('is a download in a sandbox, under its own name', async () => {
		const { id, sha256 } = await test.addFile(ada, content, {
			filename: 'Übersicht "1".html',
			fileType: 'text/html'
		});
		expect(await ask(id, {}, { isInline: true })).toMatchObject({
			status: 200,
			body: content,
			headers: {
				'content-type': 'text/html',
				'content-length': '10',
				'content-disposition': `attachment; filename="Ubersicht _1_.html"; filename*=UTF-8''%C3%9Cbersicht%20%221%22.html`,
				'content-security-policy': "sandbox; default-src 'none'",
				'x-content-type-options': 'nosniff',
				etag: `"${sha256}"`,
				'accept-ranges': 'bytes'
			}
		});
	});

	it('is shown inline only when its type is harmless', async () => {
		const shown = async (fileType: string) => {
			const { id } = await test.addFile(ada, fileType, { fileType });
			const { headers } = await ask(id, {}, { isInline: true });
			return `${headers['content-disposition']?.split(';')[0]} ${headers['content-type']}`;
		};
		expect(await shown('image/png')).toBe('inline image/png');
		expect(await shown('text/markdown')).toBe('inline text/plain; charset=utf-8');
		expect(await shown('image/svg+xml')).toBe('attachment image/svg+xml');
		expect(await shown('text/html')).toBe('attachment text/html');
	});

	it('answers ranges', async () => {
		const { id, sha256 } = await test.addFile(ada, content);
		const part = async (range: string, headers = {}) => {
			const { status, body, headers: answered } = await ask(id, { range, ...headers });
			return `${status} ${body} ${answered['content-range']}`;
		};
		expect(await part('bytes=2-4')).toBe('206 234 bytes 2-4/10');
		expect(await part('bytes=7-')).toBe('206 789 bytes 7-9/10');
		expect(await part('bytes=-3')).toBe('206 789 bytes 7-9/10');
		expect(await part('bytes=8-99')).toBe('206 89 bytes 8-9/10');
		expect(await part('bytes=0-1,4-5')).toBe(`200 ${content} undefined`);
		expect(await part('bytes=2-4', { 'if-range': `"${sha256}"` })).toBe('206 234 bytes 2-4/10');
		expect(await part('bytes=2-4', { 'if-range': '"another"' })).toBe(`200 ${content} undefined`);
		await expect(part('bytes=10-')).rejects.toMatchObject({
			code: 'file.range_invalid',
			headers: { 'content-range': 'bytes */10' }
		});
	});

	it('is not sent again to somebody who has it', async () => {
		const { id, sha256 } = await test.addFile(ada, content);
		const fresh = await ask(id, { 'if-none-match': `"x", W/"${sha256}"` });
		expect(fresh).toMatchObject({ status: 304, body: undefined });
		expect((await ask(id, { 'if-none-match': '"x"' })).status).toBe(200);
	});

	it('has the variants that processing made, and no others', async () => {
		const { id } = await test.addFile(ada, 'a picture', { filename: 'a.png', fileType: 'image/png' });
		await expect(ask(id, {}, { variant: 'thumbnail' })).rejects.toMatchObject({
			code: 'file.variant_missing'
		});
		const claim = await test.files.claim({ fileId: id, attempt: 0, sizeBytes: 1, tries: 0 });
		await test.platform.blobs.put(`${claim?.file.blobId}/thumbnail`, Readable.from(['small']));
		await claim?.keepVariants({ thumbnail: { type: 'image/webp', bytes: 5 } });
		const { headers, body } = await ask(id, {}, { variant: 'thumbnail', isInline: true });
		expect(body).toBe('small');
		expect(headers).toMatchObject({ 'content-type': 'image/webp' });
		expect(headers['content-disposition']).toContain('filename="a.webp"');
	});

	it('is served as compressed where nothing smaller was made of it, once that is certain', async () => {
		const { id, sha256 } = await test.addFile(ada, 'as small as it gets', {
			filename: 'a.text',
			fileType: 'text/plain'
		});
		const compressed = () => ask(id, {}, { variant: 'compressed' });
		await expect(compressed()).rejects.toMatchObject({ code: 'file.variant_missing' });
		await test.platform.db.query(
			`update public.files set status = 'completed', progress = 100 where id = $1`,
			[id]
		);
		const { body, headers } = await compressed();
		expect(body).toBe('as small as it gets');
		expect(headers).toMatchObject({ etag: `"${sha256}"`, 'content-type': 'text/plain' });
		expect(headers['content-disposition']).toContain('filename="a.text"');
	});

	it('as text says how it is written', async () => {
		const { id } = await test.addFile(ada, 'a document', { fileType: 'application/pdf' });
		const claim = await test.files.claim({ fileId: id, attempt: 0, sizeBytes: 1, tries: 0 });
		await test.platform.blobs.put(`${claim?.file.blobId}/text`, Readable.from(['größe']));
		await claim?.keepVariants({ text: { type: 'text/plain', bytes: 7 } });
		const { headers } = await ask(id, {}, { variant: 'text' });
		expect(headers['content-type']).toBe('text/plain; charset=utf-8');
	});

	it('is nobody else’s', async () => {
		const { id } = await test.addFile(ada, content);
		const userId = await test.platform.addUser();
		await expect(ask(id, {}, { userId })).rejects.toMatchObject({ code: 'file.not_found' });
	});
});

describe('a range', () => {
	it('is ignored when it is not understood', () => {
		const headers = [
			null,
			'',
			'bytes',
			'bytes=',
			'bytes=-',
			'bytes=a-b',
			'items=0-1',
			'bytes=5-2',
			'bytes=1-2-3'
		];
		for (const header of headers) expect(parseRange(header, 10), String(header)).toBeUndefined();
	});

	it('cannot be satisfied beyond the end or with nothing to send', () => {
		expect(parseRange('bytes=10-12', 10)).toBe('unsatisfiable');
		expect(parseRange('bytes=-0', 10)).toBe('unsatisfiable');
		expect(parseRange('bytes=-99', 10)).toEqual({ start: 0, end: 9 });
	});
});

describe('a name in Content-Disposition', () => {
	it('cannot break out of its header', () => {
		const value = dispositionOf('attachment', 'a"; x=y\\%0d\r\n\ud800(日本).pdf');
		expect(value).toMatch(/^[\x20-\x7e]+$/);
		expect(value).toContain('filename="a_; x=y__0d___(__).pdf"');
		expect(value).toContain(
			"filename*=UTF-8''a%22%3B%20x%3Dy%5C%250d%0D%0A%EF%BF%BD%28%E6%97%A5%E6%9C%AC%29.pdf"
		);
	});
});
