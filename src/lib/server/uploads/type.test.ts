import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readableTypes } from '#lib/shared/limits.ts';
import { makeHeic, makeHeif, makeImage, makePdf } from '../../../../tests/support/make-files.ts';
import { makeDocx, makeEpub } from '../../../../tests/support/make-office.ts';
import { makeZip } from '../../../../tests/support/make-zip.ts';
import { detectType, sampleBytes } from './type.ts';

const detect = (content: string | Buffer, filename = 'file') => {
	const bytes = Buffer.from(content);
	return detectType({
		bytes: bytes.subarray(0, sampleBytes),
		isWhole: bytes.length <= sampleBytes,
		filename
	});
};

const mail = 'From: a@b.c\r\nDate: today\r\nMessage-ID: <1@b.c>\r\n\r\nHello';

describe('the type of a file', () => {
	it('is none that can be read when it is text in a word processor’s commands', async () => {
		expect(
			await detect('{\\rtf1\\ansi{\\fonttbl\\f0 Arial;}\\f0 Some {\\b bold} words.}', 'a.txt')
		).toBeUndefined();
	});

	it('is told by its bytes, whatever its name says', async () => {
		expect(await detect(makePdf(['a']), 'a.txt')).toBe('application/pdf');
		for (const format of ['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const) {
			expect(await detect(await makeImage({ format }), 'a.pdf')).toBe(`image/${format}`);
		}
		expect(await detect(await makeHeic(), 'a.jpg')).toBe('image/heic');
		expect(await detect(await makeHeif(), 'a.jpg')).toBe('image/avif');
		expect(await detect('plain words', 'a.pdf')).toBe('text/plain');
		expect(await detect(Buffer.concat([Buffer.from('junk\n\xff\n'), makePdf(['a'])]))).toBe(
			'application/pdf'
		);
	});

	it('is one that somebody else reads, only where nothing here reads it', async () => {
		const alsoTakes = (type: string) => /^(audio|application)\//.test(type);
		const sound = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), Buffer.alloc(100)]);
		const sample = (bytes: Buffer) => ({ bytes, isWhole: true, filename: 'a' });
		expect(await detectType(sample(sound), alsoTakes)).toBe('audio/wav');
		expect(await detectType(sample(sound))).toBeUndefined();
		expect(await detectType(sample(makePdf(['a'])), alsoTakes)).toBe('application/pdf');
		expect(await detectType(sample(Buffer.from('ID3 is a word')), alsoTakes)).toBe('text/plain');
		expect(await detectType(sample(Buffer.from('{\\rtf1 words}')), alsoTakes)).toBe('application/rtf');
		expect(await detectType(sample(Buffer.alloc(100)), alsoTakes)).toBeUndefined();
	});

	it.each([
		['# Title', 'a.md', 'text/markdown'],
		['a,b\n1,2', 'a.CSV', 'text/csv'],
		['# Title', 'a.txt', 'text/plain'],
		['{"a": 1}', 'a.json', 'application/json'],
		['[1, 2]', 'data', 'application/json'],
		['{ not json', 'data', 'text/plain'],
		['<!DOCTYPE html><p>x', 'a.txt', 'text/html'],
		['<?xml version="1.0"?>\n<!-- c --><html xmlns="x"/>', 'a', 'text/html'],
		['<p>a fragment</p>', 'a.html', 'text/html'],
		['no markup', 'a.html', 'text/plain'],
		['<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x">\n<svg xmlns="y"/>', 'a.xml', 'image/svg+xml'],
		['<svg></svg>', 'a.html', 'image/svg+xml'],
		[
			'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x/svg11.dtd" [\n\t<!ENTITY ns_svg "http://y">\n\t<!ENTITY ns_xlink "http://z">\n]>\n<svg xmlns="&ns_svg;"/>',
			'a.svg',
			'image/svg+xml'
		],
		['<!DOCTYPE svg PUBLIC "x" [ <!ENTITY ns "http://y"> ]>\n<svg xmlns="y"/>', 'a.svg', 'image/svg+xml'],
		[
			'<?xml version="1.0"?><note/>',
			'a.xml',
			readableTypes['application/xml'] ? 'application/xml' : 'text/plain'
		],
		[mail, 'a', readableTypes['message/rfc822'] ? 'message/rfc822' : 'text/plain'],
		['Note: buy milk\nTo: nobody\n\nx', 'a.txt', 'text/plain'],
		['BMW builds cars', 'a.txt', 'text/plain'],
		['MZ is no program', 'a.txt', 'text/plain'],
		['\u001b[31mred\u001b[0m', 'a.log', 'text/plain']
	])('of %j named %s is %s', async (content, filename, type) => {
		expect(await detect(content, filename)).toBe(type);
	});

	it('is told by its parts when it is a document in an archive, and by its name when they come too late', async () => {
		const late = makeZip([
			{ name: 'a.css', content: 'x' },
			{ name: 'mimetype', content: 'application/epub+zip' }
		]);
		expect(await detect(makeDocx(['a']), 'a.zip')).toBe(
			'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
		);
		expect(await detect(makeEpub([{ title: 'a', body: 'b' }]), 'a')).toBe('application/epub+zip');
		expect(await detect(late.subarray(0, 40), 'a.EPUB')).toBe('application/epub+zip');
		expect(await detect(late.subarray(0, 40), 'a.zip')).toBeUndefined();
	});

	it('is text in any common encoding', async () => {
		expect(await detect(Buffer.from('Größe, Übung', 'latin1'))).toBe('text/plain');
		expect(await detect(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('wide', 'utf16le')]))).toBe(
			'text/plain'
		);
		for (const words of ['wide words without a mark\r\n', 'Привет, мир! Καλημέρα.'])
			for (const bytes of [Buffer.from(words, 'utf16le'), Buffer.from(words, 'utf16le').swap16()])
				expect(await detect(bytes)).toBe('text/plain');
		expect(await detect(Buffer.from('{"wide": 1}', 'utf16le'))).toBe('application/json');
		expect(await detect('\ufeffwith a mark')).toBe('text/plain');
		// A character that the end of the sample cuts in two.
		expect(await detect(`x${'ä'.repeat(sampleBytes)}`)).toBe('text/plain');
	});

	it('is nothing we can read when it is anything else', async () => {
		const zip = Buffer.from('504b03041400000008000000', 'hex');
		for (const bytes of [
			zip,
			Buffer.from([0, 1, 2, 3]),
			Buffer.from('words\0and more'),
			Buffer.from([0, 200, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 255]),
			Buffer.from('MZ\x90\0\x03'),
			Buffer.from([1, 2, 3, 4])
		]) {
			expect(await detect(bytes)).toBeUndefined();
		}
	});

	it('is found for any bytes at all, and is always one that can be read', async () => {
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), fc.string(), async (bytes, filename) => {
				const type = await detect(Buffer.from(bytes), filename);
				expect(type === undefined || Object.hasOwn(readableTypes, type)).toBe(true);
			}),
			{ numRuns: 500 }
		);
	});
});
