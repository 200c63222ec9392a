// Documents that are ZIP archives of XML. Before anything is unpacked into memory it is known how large it will be:
// an archive that unpacks to far more than its size, or lies about it, is refused (archive.bomb). Nothing is ever
// written to disk, and names that point outside the archive are refused by yauzl.
import type { Readable } from 'node:stream';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { AppError, messageOf, problem } from '#lib/server/errors.ts';

const maxEntries = 20_000;
const maxTotalBytes = 1024 ** 3;
/** Real documents stay far below; the ratio counts only beyond a size that would hurt. */
const maxRatio = 100;
const harmlessBytes = 64 * 1024 ** 2;
/** Of one part that is read as text. */
const maxTextBytes = 48 * 1024 ** 2;

export type Archive = {
	names: string[];
	/** undefined: there is no such part. */
	text(name: string): Promise<string | undefined>;
};

export async function withArchive<T>(path: string, use: (archive: Archive) => Promise<T>): Promise<T> {
	const zip = await openPromise(path, { autoClose: false, strictFileNames: false }).catch(translate);
	try {
		const entries = await list(zip);
		const text = async (name: string): Promise<string | undefined> => {
			const entry = entries.get(name);
			if (!entry) return undefined;
			if (entry.uncompressedSize > maxTextBytes) throw problem('archive.bomb', { details: { part: name } });
			const bytes = await unpack(zip, entry).catch(translate);
			return new TextDecoder().decode(Buffer.concat(bytes));
		};
		return await use({ names: [...entries.keys()], text });
	} finally {
		zip.close();
	}
}

/** For libraries that unpack by themselves: every part is unpacked once, into nothing, to see that it is as large as it says. */
export async function checkArchive(path: string): Promise<void> {
	const zip = await openPromise(path, { autoClose: false }).catch(translate);
	try {
		for (const entry of (await list(zip)).values()) await drain(zip, entry).catch(translate);
	} finally {
		zip.close();
	}
}

async function list(zip: ZipFile): Promise<Map<string, Entry>> {
	const entries = new Map<string, Entry>();
	let total = 0;
	try {
		for await (const entry of zip.eachEntry()) {
			total += entry.uncompressedSize;
			const isTooMuch = total > harmlessBytes && total > maxRatio * zip.fileSize;
			if (isTooMuch || total > maxTotalBytes || entries.size >= maxEntries)
				throw problem('archive.bomb', { details: { bytes: total } });
			entries.set(entry.fileName, entry);
		}
	} catch (error) {
		return translate(error);
	}
	return entries;
}

async function unpack(zip: ZipFile, entry: Entry): Promise<Buffer[]> {
	const stream: Readable = await zip.openReadStreamPromise(entry);
	return stream.toArray();
}

async function drain(zip: ZipFile, entry: Entry): Promise<void> {
	for await (const bytes of await zip.openReadStreamPromise(entry)) void bytes;
}

function translate(error: unknown): never {
	if (error instanceof AppError) throw error;
	// yauzl stops a part that unpacks to more than it claims.
	if (/too many bytes/i.test(messageOf(error))) throw problem('archive.bomb', { cause: error });
	throw problem('file.damaged', { cause: error });
}
