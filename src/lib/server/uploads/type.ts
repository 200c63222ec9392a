// What a file really is, told by its bytes. Its name only decides between kinds that look alike (Markdown, CSV and plain
// text; archives that say late what they are), never between text and anything else.
import path from 'node:path';
import { fileTypeFromBuffer } from 'file-type';
import { readableTypes } from '#lib/shared/limits.ts';
import { utf16Of } from '../utf16.ts';

/** Enough of the beginning to tell. */
export const sampleBytes = 65_536;

const archives: Record<string, string> = {
	'.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
	'.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
	'.pptx': 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
	'.odt': 'application/vnd.oasis.opendocument.text',
	'.ods': 'application/vnd.oasis.opendocument.spreadsheet',
	'.odp': 'application/vnd.oasis.opendocument.presentation',
	'.epub': 'application/epub+zip'
};

/** What reads as text and is none: its words stand between commands. */
const unread = new Set(['application/rtf']);

export type Sample = { bytes: Buffer; isWhole: boolean; filename: string };

/** Types beyond `readableTypes` that somebody reads for us. */
export type AlsoTakes = (type: string) => boolean;

/** One of `readableTypes`, or of those that are also taken; `undefined`: nothing that can be read. */
export async function detectType(
	sample: Sample,
	alsoTakes: AlsoTakes = () => false
): Promise<string | undefined> {
	const found = (await fileTypeFromBuffer(sample.bytes))?.mime;
	const binary = found && kindOf(found, sample.bytes);
	const taken = binary && alsoTakes(binary) ? binary : undefined;
	if (binary && isReadable(binary) && !isText(binary)) return binary;
	if (binary && unread.has(binary)) return taken;
	if (binary === 'application/zip') return typeOfArchive(sample.filename) ?? taken;
	// Readers of PDF accept something before the header, and some programs put it there.
	if (/[\r\n]%PDF-\d\.\d\s*[\r\n]/.test(sample.bytes.toString('latin1', 0, 1024))) return 'application/pdf';
	// Short signatures such as "BM" also begin ordinary words, so what reads as text is text.
	const text = readText(sample);
	if (text === undefined) return taken;
	const kind = typeOfText(text, sample);
	return isReadable(kind) ? kind : 'text/plain';
}

/** Kinds that are read like another one. HEIF is the container of both HEIC and AVIF, and says of which among its brands. */
function kindOf(type: string, bytes: Buffer): string {
	if (type === 'image/apng') return 'image/png';
	if (type !== 'image/heif') return type;
	const brands = bytes.toString('latin1', 8, Math.min(bytes.readUInt32BE(0), 256));
	return brands.includes('avif') ? 'image/avif' : 'image/heic';
}

/** The part of an archive that says what it is can lie beyond the sample; the reader refuses what it turns out not to be. */
function typeOfArchive(filename: string): string | undefined {
	const type = archives[path.extname(filename).toLowerCase()];
	return type !== undefined && isReadable(type) ? type : undefined;
}

function isReadable(type: string): boolean {
	return Object.hasOwn(readableTypes, type);
}

/** Types whose bytes are characters: a zero byte has no place in them. */
export function isText(type: string): boolean {
	return /^text\/|^message\/|[/+](json|xml)$/.test(type);
}

function readText({ bytes, isWhole }: Sample): string | undefined {
	const text = decode(bytes, isWhole);
	// A stray control character happens in real text; in anything else they make up a tenth.
	return text === undefined || countStrange(text) > text.length / 100 ? undefined : text;
}

/** Control characters that no text has: not those for lines, pages, colours (ESC) and the end (SUB) of old files. */
function countStrange(text: string): number {
	let count = 0;
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code < 7 || (code > 13 && code < 26) || (code > 27 && code < 32) || code === 127) count++;
	}
	return count;
}

function decode(bytes: Buffer, isWhole: boolean): string | undefined {
	const wide = utf16Of(bytes);
	if (wide) return new TextDecoder(wide).decode(bytes);
	if (bytes.includes(0)) return undefined;
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole });
	} catch {
		// Not UTF-8: one of the older encodings, whose letters do not matter here.
		return bytes.toString('latin1');
	}
}

function typeOfText(text: string, { filename, isWhole }: Sample): string {
	const ending = path.extname(filename).toLowerCase();
	const start = text
		.replace(/^(?:\s|<\?xml[^>]*>|<!--[^]*?-->|<!doctype svg(?:[^[>]|\[[^\]]*\])*>)+/i, '')
		.slice(0, 200);
	if (/^<svg[\s>]/i.test(start)) return 'image/svg+xml';
	if (/^<(!doctype html|html)[\s>]/i.test(start)) return 'text/html';
	if (['.html', '.htm', '.xhtml'].includes(ending) && /<[a-z!]/i.test(text)) return 'text/html';
	if (/^\s*<\?xml\s/.test(text) || (ending === '.xml' && start.startsWith('<'))) return 'application/xml';
	if (isMail(text, ending === '.eml')) return 'message/rfc822';
	if (['.md', '.markdown', '.mdown'].includes(ending)) return 'text/markdown';
	if (['.csv', '.tsv'].includes(ending)) return 'text/csv';
	return isJson(start, text, ending === '.json', isWhole) ? 'application/json' : 'text/plain';
}

/** Begins with the header of a message, up to an empty line; without its name to go by, it has to be a full one. */
function isMail(text: string, isNamedSo: boolean): boolean {
	const header = text.split(/\r?\n\r?\n/, 1)[0] ?? '';
	if (!header.split(/\r?\n/).every((line) => /^([!-9;-~]+:|[ \t])/.test(line))) return false;
	const has = (name: string) => new RegExp(`^${name}:`, 'im').test(header);
	return isNamedSo || (has('from') && has('date') && (has('message-id') || has('mime-version')));
}

function isJson(start: string, text: string, isNamedSo: boolean, isWhole: boolean): boolean {
	if (!/^[[{]/.test(start)) return false;
	if (isNamedSo || !isWhole) return isNamedSo;
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
}
