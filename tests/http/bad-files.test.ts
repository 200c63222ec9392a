// Files as the world sends them: empty, wrong, damaged, hostile. Each ends with its own code or with its text, none
// disturbs another one, and the server answers and streams all the time.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problems } from '#lib/shared/errors.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import { eventually } from '../support/eventually.ts';
import {
	damaged,
	type ImageFormat,
	makeCsv,
	makeHugePng,
	makeImage,
	makeLongPdf,
	makePdf,
	makeSvg,
	makeText,
	mulberry32,
	pageText,
	truncated
} from '../support/make-files.ts';
import { makeDocx } from '../support/make-office.ts';
import { makeZip } from '../support/make-zip.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSse, type SseClient } from '../support/sse.ts';
import { enter, type Person } from './person.ts';

const random = mulberry32(7);

let server: TestServer;
let ada: Person;
let stream: SseClient;
/** When something came on the stream. */
const heard: number[] = [];

beforeAll(async () => {
	server = await startServer({ HEARTBEAT_SECONDS: '1' });
	ada = await enter(server);
	stream = await openSse(`${server.url}/api/files/events`, {
		cookie: ada.cookie,
		onFrame: ({ at }) => void heard.push(at)
	});
	await stream.next('snapshot');
});
afterAll(async () => {
	stream?.close();
	await server?.dispose();
});

describe('a file that cannot be kept', () => {
	it.each<[string, string, string | Buffer, string]>([
		['no bytes', 'nothing.txt', '', '400 upload.empty'],
		['zero bytes in text', 'zeros.txt', 'some text\0and more', '415 file.unsupported_type'],
		['only zero bytes', 'zeros.pdf', Buffer.alloc(100_000), '415 file.unsupported_type'],
		['noise with the name of a PDF', 'noise.pdf', noise(100_000), '415 file.unsupported_type'],
		['a program', 'program.txt', elf(), '415 file.unsupported_type'],
		[
			'an archive of anything',
			'archive.zip',
			makeZip([{ name: 'a', content: 'b' }]),
			'415 file.unsupported_type'
		],
		['text that ends as something else', 'late.txt', late(), '415 file.unsupported_type']
	])('is refused with its reason: %s', async (_, filename, content, refusal) => {
		const before = await ada.list();
		const { status, body } = await ada.upload({ filename, content });
		expect(`${status} ${body.code}`).toBe(refusal);
		expect(await ada.list()).toEqual(before);
	});

	it('does not stop its neighbours, whatever their order', async () => {
		const good = (n: number) => ({ filename: `good-${n}.txt`, content: `neighbour ${n}` });
		const { status, body } = await ada.upload(
			good(1),
			{ filename: 'empty', content: '' },
			good(2),
			{ filename: 'noise.bin', content: noise(200_000) },
			good(3)
		);
		expect(status).toBe(201);
		expect(body.files.map(({ filename }) => filename)).toEqual(['good-1.txt', 'good-2.txt', 'good-3.txt']);
		expect(body.errors.map(({ filename, code }) => `${filename} ${code}`)).toEqual([
			'empty upload.empty',
			'noise.bin file.unsupported_type'
		]);
		for (const file of await ada.ended(idsOf(body.files))) expect(file.status).toBe('completed');
	});
});

describe('a file that is kept', { timeout: 60_000 }, () => {
	it.each<[string, string, () => Buffer | string | Promise<Buffer>, string]>([
		['a picture called text', 'picture.txt', () => makeImage(), 'completed image/png'],
		['text called a picture', 'text.png', () => 'plain words', 'completed text/plain'],
		['a picture that breaks off', 'half.png', async () => truncated(await noisy('png')), 'file.damaged'],
		['a photograph that breaks off', 'half.jpg', async () => truncated(await noisy('jpeg')), 'file.damaged'],
		['a picture of 900 million pixels', 'huge.png', () => makeHugePng(), 'image.too_many_pixels'],
		['a protected PDF', 'secret.pdf', () => makePdf([pageText(1)], { password: 'open' }), 'pdf.encrypted'],
		['half a PDF', 'half.pdf', () => truncated(makeLongPdf(20)), 'file.damaged | completed application/pdf'],
		['nothing but a PDF’s first line', 'head.pdf', () => '%PDF-1.4\n', 'file.damaged'],
		['an archive that unpacks to gigabytes', 'bomb.docx', () => bombDocx(), 'archive.bomb'],
		[
			'an archive that is no document',
			'empty.docx',
			() => makeZip([{ name: 'a', content: 'b' }]),
			'file.damaged'
		],
		['half a document', 'half.docx', () => truncated(makeDocx(['one', 'two'])), 'file.damaged'],
		[
			'JSON of a hundred thousand levels',
			'deep.json',
			() => '['.repeat(100_000) + ']'.repeat(100_000),
			'ends'
		],
		['JSON that is none', 'broken.json', () => '{"a": [1, 2', 'completed application/json'],
		['one line of ten megabytes', 'line.txt', () => 'lantern '.repeat(1_250_000), 'completed text/plain'],
		['one word of two megabytes', 'word.txt', () => 'x'.repeat(2_000_000), 'completed text/plain'],
		[
			'a table of one open quote',
			'quote.csv',
			() => `a,b\n"${'never closed '.repeat(50_000)}`,
			'completed text/csv'
		],
		[
			'a table of 20,000 columns',
			'wide.csv',
			() => makeCsv(columns(20_000), [columns(20_000)]),
			'completed text/csv'
		],
		['a page of 50,000 levels', 'deep.html', () => `<!doctype html>${'<div>'.repeat(50_000)}deep`, 'ends'],
		[
			'brackets that drive parsers mad',
			'mad.md',
			() => `${'['.repeat(20_000)}${'*a '.repeat(20_000)}`,
			'ends'
		],
		['20,000 nested quotes', 'quotes.md', () => `${'>'.repeat(20_000)} deep`, 'completed text/markdown'],
		['text in UTF-16', 'wide.txt', () => makeText('wide words', 'utf16le'), 'completed text/plain'],
		['text of spaces', 'spaces.txt', () => ' \n'.repeat(1_000), 'completed text/plain text.no_text'],
		['a scan without text', 'scan.pdf', () => makePdf(['', '']), 'completed application/pdf pdf.no_text'],
		['a drawing that laughs a billion times', 'laughs.svg', () => laughs(), 'ends'],
		['a drawing that uses itself up', 'uses.svg', () => uses(), 'ends']
	])('ends with its reason or its text: %s', async (_, filename, make, expected) => {
		const file = await end(ada, filename, await make());
		if (expected === 'ends') return;
		expect(expected.split(' | ')).toContain(describeEnd(file));
	});

	it('may be a PDF with bytes replaced anywhere', async () => {
		const intact = makeLongPdf(6, 80);
		const seeds = Array.from({ length: 40 }, (_, i) => i + 1);
		const parts = seeds.map((seed) => ({
			filename: `damaged-${seed}.pdf`,
			content: damaged(intact, seed, 1 + Math.floor(random() ** 3 * 400))
		}));
		const { body } = await ada.upload(...parts);
		for (const { code } of body.errors) expect(code).toBe('file.unsupported_type');
		for (const file of await ada.ended(idsOf(body.files), 50_000)) expectHonestEnd(file);
	});

	it('may be a picture with bytes replaced anywhere', async () => {
		const intact = await Promise.all((['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const).map(noisy));
		const parts = intact.flatMap((picture, kind) =>
			[1, 2, 3, 4].map((seed) => ({
				filename: `damaged-${kind}-${seed}`,
				content: damaged(picture, seed + 10 * kind, 1 + Math.floor(random() ** 3 * 100))
			}))
		);
		const { body } = await ada.upload(...parts);
		for (const { code } of body.errors) expect(code).toBe('file.unsupported_type');
		for (const file of await ada.ended(idsOf(body.files), 50_000)) expectHonestEnd(file);
	});

	it('opens with its password, and says when that is wrong', async () => {
		const { id } = await end(ada, 'locked.pdf', makePdf([pageText(3)], { password: 'sesame' }));
		const retry = (password: string) =>
			ada.ask(`/api/files/${id}/retry`, { method: 'POST', body: JSON.stringify({ password }) });
		expect((await retry('guess')).status).toBe(202);
		const [wrong] = await ada.ended([id]);
		expect(wrong).toMatchObject({ status: 'failed', error_code: 'pdf.encrypted' });
		expect(wrong?.error_message).not.toBe(problems['pdf.encrypted'].message);
		expect((await retry('sesame')).status).toBe(202);
		expect(await ada.ended([id])).toMatchObject([{ status: 'completed', error_code: null, page_count: 1 }]);
		expect(server.output()).not.toContain('sesame');
	});

	it('never reads anything beside itself, on this machine or elsewhere', async () => {
		const asked: string[] = [];
		const bait = createServer((request, response) => {
			asked.push(request.url ?? '');
			response.end('bait');
		}).listen(0, '127.0.0.1');
		await eventually(() => expect(bait.listening).toBe(true));
		const there = `http://127.0.0.1:${(bait.address() as AddressInfo).port}`;
		const drawing = makeSvg(
			`<image href="${there}/a.png" width="9" height="9"/><image xlink:href="file:///etc/passwd" width="9" height="9"/>` +
				`<style>@import url(${there}/b.css); rect { fill: url(${there}/c.svg#d) }</style><text y="20">drawn words</text>`
		);
		const page = `<!doctype html><img src="${there}/e.png"><iframe src="file:///etc/passwd"></iframe><link rel=stylesheet href="${there}/f.css"><p>page words</p>`;
		const entity = `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y SYSTEM "${there}/g">]><a>xml words &x; &y;</a>`;
		for (const [name, content] of [
			['drawing.svg', drawing],
			['page.html', page],
			['entity.xml', entity]
		] as const) {
			const file = await end(ada, name, content);
			const text = await (await ada.ask(`/api/files/${file.id}/content?variant=text`)).text();
			expect(text).not.toContain('root:');
		}
		bait.close();
		expect(asked).toEqual([]);
	});
});

describe('meanwhile', () => {
	it('the server was well, and the stream never fell silent', async () => {
		expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
		expect(stream.isEnded).toBe(false);
		const gaps = heard.slice(1).map((at, i) => at - (heard[i] ?? at));
		// A heartbeat each second; on a busy machine it comes late, but it comes.
		expect(Math.max(...gaps)).toBeLessThan(4_000);
		expect(server.output()).not.toMatch(/unhandled|uncaught|unexpected error|could not be kept/i);
	});

	it('nobody was left at work', async () => {
		const files = await eventually(
			async () => {
				const files = await ada.list();
				expect(files.filter(({ status }) => status === 'pending' || status === 'processing')).toEqual([]);
				return files;
			},
			{ timeoutMs: 20_000 }
		);
		for (const file of files) expectHonestEnd(file);
	});
});

async function end(person: Person, filename: string, content: Buffer | string): Promise<StoredFile> {
	const { id } = await person.add(filename, content);
	const [file] = await person.ended([id], 50_000);
	if (!file) throw new Error('The file is gone.');
	expectHonestEnd(file);
	return file;
}

/** Either something can be found in it, or it says why not, in a code that blames the file and not the server. */
function expectHonestEnd(file: StoredFile): void {
	const said = JSON.stringify(file);
	if (file.status === 'completed') {
		expect(file.error_code, said).toBeNull();
		if (!file.chunk_count) expect(file.warnings.map(({ code }) => code).join(), said).toMatch(/no_text/);
		return;
	}
	expect(file.status, said).toBe('failed');
	expect(Object.keys(problems), said).toContain(file.error_code);
	expect(['stage.crashed', 'server.unexpected', 'job.gave_up'], said).not.toContain(file.error_code);
	expect(file.error_message, said).toBeTruthy();
}

function describeEnd({ status, error_code, file_type, warnings }: StoredFile): string {
	if (status === 'failed') return error_code ?? 'no reason';
	const missing = warnings.find(({ code }) => code.endsWith('no_text'));
	return [status, file_type, ...(missing ? [missing.code] : [])].join(' ');
}

function idsOf(files: readonly StoredFile[]): string[] {
	return files.map(({ id }) => id);
}

function noise(bytes: number): Buffer {
	return Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)));
}

function noisy(format: ImageFormat): Promise<Buffer> {
	return makeImage({ format, width: 200, height: 150, look: 'noise' });
}

function elf(): Buffer {
	return Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), noise(2_000)]);
}

/** Its first 64 KiB are text. */
function late(): Buffer {
	return Buffer.concat([Buffer.alloc(100_000, 'text '), Buffer.alloc(10)]);
}

function columns(count: number): string[] {
	return Array.from({ length: count }, (_, i) => `column ${i}`);
}

function bombDocx(): Buffer {
	return makeDocx(['harmless'], [{ name: 'word/media/bomb', content: Buffer.alloc(300 * 1024 ** 2) }]);
}

function laughs(): string {
	const entities = Array.from({ length: 10 }, (_, i) =>
		i === 0 ? '<!ENTITY l0 "ha">' : `<!ENTITY l${i} "${`&l${i - 1};`.repeat(10)}">`
	);
	return `<?xml version="1.0"?><!DOCTYPE svg [${entities.join('')}]><svg xmlns="http://www.w3.org/2000/svg"><text>&l9;</text></svg>`;
}

function uses(): Buffer {
	const levels = Array.from(
		{ length: 12 },
		(_, i) => `<g id="g${i + 1}">${`<use xlink:href="#g${i}"/>`.repeat(10)}</g>`
	);
	return makeSvg(
		`<defs><rect id="g0" width="1" height="1"/>${levels.join('')}</defs><use xlink:href="#g12"/>`
	);
}
