// Which encoding a text is in: a byte order mark says so, valid UTF-8 proves it, anything else is judged by its bytes.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { analyse } from 'chardet';
import { utf16Of } from '#lib/server/utf16.ts';

const sampleBytes = 256 * 1024;

/** A label for TextDecoder. */
export async function detectEncoding(path: string): Promise<string> {
	const sample = await readStart(path, sampleBytes);
	const wide = utf16Of(sample);
	if (wide) return wide;
	if (isMarkedUtf8(sample) || (await isUtf8(path))) return 'utf-8';
	return byDeclaration(sample) ?? byStatistics(sample);
}

/** The decoded text in pieces; bytes that mean nothing become U+FFFD. */
export async function* decode(path: string, onBytes: (bytes: number) => void): AsyncGenerator<string> {
	const decoder = new TextDecoder(await detectEncoding(path));
	let read = 0;
	for await (const bytes of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
		read += bytes.length;
		onBytes(read);
		yield decoder.decode(bytes, { stream: true });
	}
	yield decoder.decode();
}

function isMarkedUtf8([a, b, c]: Uint8Array): boolean {
	return a === 0xef && b === 0xbb && c === 0xbf;
}

async function isUtf8(path: string): Promise<boolean> {
	const decoder = new TextDecoder('utf-8', { fatal: true });
	try {
		for await (const bytes of createReadStream(path, {
			highWaterMark: 1024 * 1024
		}) as AsyncIterable<Buffer>) {
			decoder.decode(bytes, { stream: true });
		}
		decoder.decode();
		return true;
	} catch (error) {
		if (error instanceof TypeError) return false;
		throw error;
	}
}

/** `<meta charset>` or `<?xml encoding>` near the start. */
function byDeclaration(sample: Uint8Array): string | undefined {
	const start = Buffer.from(sample.subarray(0, 2048)).toString('latin1');
	const label =
		/<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(start)?.[1] ??
		/<\?xml[^>]+encoding\s*=\s*["']([\w-]+)/i.exec(start)?.[1];
	return label !== undefined && isKnown(label) ? label : undefined;
}

function byStatistics(sample: Uint8Array): string {
	const guesses = analyse(sample).filter((guess) => isKnown(guess.name) && !/^utf-(16|32)/i.test(guess.name));
	return guesses[0]?.name ?? 'windows-1252';
}

function isKnown(label: string): boolean {
	try {
		new TextDecoder(label);
		return true;
	} catch {
		return false; // a RangeError is how TextDecoder says no
	}
}

async function readStart(path: string, bytes: number): Promise<Uint8Array> {
	const file = await open(path);
	try {
		const { buffer, bytesRead } = await file.read(new Uint8Array(bytes), 0, bytes, 0);
		return buffer.subarray(0, bytesRead);
	} finally {
		await file.close();
	}
}
