// A picture's own words: what it is, and what its maker wrote into it. Where it was taken stays private.
import { readFile } from 'node:fs/promises';
import exif, { type Exif } from 'exif-reader';
import type { Metadata } from 'sharp';
import { readableTypes } from '#lib/shared/limits.ts';
import type { Page } from '../../stage.ts';
import { metadataOf, openImage, translateImageError } from '../open-image.ts';
import { toPicture } from '../picture.ts';
import { openMarkup } from './markup.ts';
import { passage, type Source } from './source.ts';

const xmpTags = new Set(['dc:title', 'dc:description', 'dc:subject', 'dc:creator', 'photoshop:headline']);
const svgTags = new Set(['title', 'desc', 'text', 'tspan']);

export async function* readImage(source: Source): AsyncGenerator<Page> {
	const metadata = await metadataOf(source.path, source.fileType);
	const isDrawing = source.fileType === 'image/svg+xml';
	const inside = isDrawing
		? wordsOf(await readFile(source.path, 'utf8'), svgTags)
		: wordsOf(metadata.xmpAsString ?? '', xmpTags);
	const lines = [
		summary(source, metadata),
		...exifLines(metadata.exif),
		...inside,
		...(metadata.comments ?? []).map((c) => c.text)
	];
	const words = [...new Set(lines.map((line) => line.trim()).filter(Boolean))].join('\n');
	const shown = source.maxPictures > 0 && (await show(source));
	yield { ...passage(words), ...(shown && { picture: shown }) };
}

async function show({ path, fileType }: Source): Promise<Uint8Array> {
	const picture = await openImage(path, fileType);
	return toPicture(picture()).catch(translateImageError);
}

function summary(source: Source, { autoOrient, width, height, pages }: Metadata): string {
	const type = readableTypes[source.fileType] ?? 'Image';
	const size = `${autoOrient.width || width} × ${autoOrient.height || height} pixels`;
	const count = pages !== undefined && pages > 1 ? `, ${pages} pages` : '';
	return `${source.filename}\n${type} picture, ${size}${count}`;
}

function exifLines(bytes: Buffer | undefined): string[] {
	const tags = bytes && readExif(bytes);
	if (!tags) return [];
	const { Image, Photo } = tags;
	const taken = Photo?.DateTimeOriginal ?? Image?.DateTime;
	const camera = [Image?.Make, Image?.Model].filter(isText).join(' ');
	return [
		Image?.ImageDescription,
		readWide(Image?.XPTitle),
		readWide(Image?.XPComment),
		readWide(Image?.XPKeywords),
		isText(Image?.Artist) ? `By ${Image.Artist}` : undefined,
		isText(Image?.Copyright) ? `© ${Image.Copyright}` : undefined,
		taken instanceof Date && !Number.isNaN(taken.getTime())
			? `Taken ${taken.toISOString().slice(0, 16).replace('T', ' ')}`
			: undefined,
		camera ? `Camera ${camera}` : undefined
	].filter(isText);
}

function readExif(bytes: Buffer): Exif | undefined {
	try {
		return exif(bytes);
	} catch {
		return undefined; // a broken note in an intact picture is no reason to fail
	}
}

function isText(value: unknown): value is string {
	return typeof value === 'string' && value.trim() !== '';
}

/** Windows writes these tags as UTF-16 bytes. */
function readWide(value: unknown): string | undefined {
	if (!Array.isArray(value) && !(value instanceof Uint8Array)) return undefined;
	return Buffer.from(value).toString('utf16le').replaceAll('\0', '');
}

function wordsOf(xml: string, tags: ReadonlySet<string>): string[] {
	const found: string[] = [];
	let depth = 0;
	let words = '';
	const parser = openMarkup(
		{
			onopentag: (name) => void (tags.has(name.toLowerCase()) && depth++),
			ontext: (text) => void (depth > 0 && (words += text)),
			onclosetag(name) {
				if (!tags.has(name.toLowerCase()) || --depth > 0) return;
				found.push(words.replace(/\s+/g, ' '));
				words = '';
			}
		},
		{ xmlMode: true }
	);
	parser.end(xml);
	return found;
}
