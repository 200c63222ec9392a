// Real files for tests, made from code: small, deterministic and ours. `damaged` variants come from intact ones.
import { readFile } from 'node:fs/promises';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Exif } from 'sharp';
import { type PdfOptions, writePdf } from './write-pdf.ts';

/** A valid PDF with one page per text; only Latin-1 characters. An empty text makes a page without text, like a scan. */
export function makePdf(pages: readonly string[], options: PdfOptions = {}): Buffer {
	return writePdf(pages, options);
}

/** The n-th of many different pages (from 1): words that repeat, and one word that only this page has (`only17`). */
export function pageText(page: number, words = 250): string {
	const vocabulary =
		'river stone lantern harbour winter copper meadow signal garden engine letter market window cedar'.split(
			' '
		);
	const body = Array.from({ length: words }, (_, i) => {
		const word = vocabulary[(i * 7 + page * 3 + Math.floor(i / 11)) % vocabulary.length] ?? 'river';
		return i % 13 === 12 ? `${word}.` : word;
	});
	return `Chapter ${page}\n\nThis is page only${page} of the book. ${body.join(' ')}.`;
}

export function makeLongPdf(pageCount: number, wordsPerPage = 250): Buffer {
	return writePdf(Array.from({ length: pageCount }, (_, i) => pageText(i + 1, wordsPerPage)));
}

export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'gif' | 'tiff' | 'avif';
export type ImageOptions = {
	format?: ImageFormat;
	width?: number;
	height?: number;
	/** Noise compresses badly, a gradient well. */
	look?: 'gradient' | 'noise';
	exif?: Exif;
	/** EXIF orientation 1–8. */
	orientation?: number;
};

export async function makeImage(options: ImageOptions = {}): Promise<Buffer> {
	const { format = 'png', width = 320, height = 200, look = 'gradient', exif, orientation } = options;
	let image = sharp(pixels(width, height, look), { raw: { width, height, channels: 3 } });
	if (exif) image = image.withExif(exif);
	if (orientation) image = image.withMetadata({ orientation });
	return image.toFormat(format).toBuffer();
}

/**
 * 32 × 32 pixels: red and green above blue and yellow, as HEVC without compression (PCM), written by hand bit by bit. In
 * a file: nothing here encodes HEVC.
 */
export function makeHeic(): Promise<Buffer> {
	return readFile(new URL('./four-colours.heic', import.meta.url));
}

/** The same container, with a picture that is coded in AV1. */
export async function makeHeif(): Promise<Buffer> {
	const avif = await makeImage({ format: 'avif', width: 64, height: 48 });
	return Buffer.from(avif.toString('latin1').replace('ftypavif', 'ftypmif1'), 'latin1');
}

export async function makeAnimation(format: 'gif' | 'webp', frames = 4, size = 48): Promise<Buffer> {
	const raw = Buffer.concat(
		Array.from({ length: frames }, (_, i) => Buffer.alloc(size * size * 3, 40 * (i + 1)))
	);
	const image = sharp(raw, { raw: { width: size, height: size * frames, channels: 3, pageHeight: size } });
	return image
		.toFormat(format, { delay: frames > 0 ? Array.from({ length: frames }, () => 100) : 100, loop: 0 })
		.toBuffer();
}

/** A valid PNG of about 110 kB that unpacks to 900 million pixels: one bit each, all black. */
export function makeHugePng(width = 30_000, height = 30_000): Buffer {
	const header = Buffer.alloc(13);
	header.writeUInt32BE(width, 0);
	header.writeUInt32BE(height, 4);
	header[8] = 1;
	const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height));
	const chunk = (type: string, content: Buffer) => {
		const body = Buffer.concat([Buffer.from(type), content]);
		const edges = Buffer.alloc(8);
		edges.writeUInt32BE(content.length, 0);
		edges.writeUInt32BE(crc32(body), 4);
		return Buffer.concat([edges.subarray(0, 4), body, edges.subarray(4)]);
	};
	const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
	return Buffer.concat([
		signature,
		chunk('IHDR', header),
		chunk('IDAT', rows),
		chunk('IEND', Buffer.alloc(0))
	]);
}

export function makeSvg(body = '<rect width="80" height="50" fill="teal"/>', extra = ''): Buffer {
	return Buffer.from(
		`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="80" height="50" ${extra}>${body}</svg>`
	);
}

export type TextEncoding = 'utf8' | 'utf8-bom' | 'utf16le' | 'utf16be' | 'latin1';

export function makeText(text: string, encoding: TextEncoding = 'utf8'): Buffer {
	if (encoding === 'utf8-bom') return Buffer.from(`\uFEFF${text}`, 'utf8');
	if (encoding === 'utf16le') return Buffer.from(`\uFEFF${text}`, 'utf16le');
	if (encoding === 'utf16be') return Buffer.from(`\uFEFF${text}`, 'utf16le').swap16();
	return Buffer.from(text, encoding);
}

export function makeCsv(
	header: readonly string[],
	rows: readonly (readonly string[])[],
	separator = ','
): Buffer {
	const cell = (value: string) => (/["\n\r]|[,;\t]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
	return Buffer.from([header, ...rows].map((row) => row.map(cell).join(separator)).join('\r\n') + '\r\n');
}

export function makeJson(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value, null, 2));
}

export function makeHtml(title: string, body: string): Buffer {
	return Buffer.from(
		`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>` +
			`<style>.hidden{color:red}</style><script>const secretScript = 1;</script></head><body>${body}</body></html>`
	);
}

/** The first part of a file, as a broken download leaves it. */
export function truncated(file: Buffer, share = 0.5): Buffer {
	return file.subarray(0, Math.floor(file.length * share));
}

/** Some bytes replaced, the same ones for the same seed. */
export function damaged(file: Buffer, seed = 1, count = 200): Buffer {
	const copy = Buffer.from(file);
	const random = mulberry32(seed);
	for (let i = 0; i < count; i++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
	return copy;
}

/** A small seeded generator: tests with chance must be repeatable. */
export function mulberry32(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
	};
}

function pixels(width: number, height: number, look: 'gradient' | 'noise'): Buffer {
	const raw = Buffer.alloc(width * height * 3);
	const random = mulberry32(width * 31 + height);
	for (let i = 0; i < raw.length; i += 3) {
		const x = (i / 3) % width;
		const y = Math.floor(i / 3 / width);
		raw[i] = look === 'noise' ? random() * 256 : (x / width) * 255;
		raw[i + 1] = look === 'noise' ? random() * 256 : (y / height) * 255;
		raw[i + 2] = look === 'noise' ? random() * 256 : 128 + 100 * Math.sin((x + y) / 20);
	}
	return raw;
}
