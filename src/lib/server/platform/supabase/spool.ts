// A stream whose end is not known yet: small ones stay in memory, larger ones go to a file without a name, which the
// system takes back when this process ends, however it ends.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type Spooled = {
	bytes: number;
	/** At most `length` bytes from `start` on. */
	read(start: number, length: number): Promise<Buffer<ArrayBuffer>>;
	close(): Promise<void>;
};

/** Throws what the stream throws; nothing stays behind then. */
export async function spool(content: Readable, folder: string, maxInMemory: number): Promise<Spooled> {
	const parts: Buffer[] = [];
	let bytes = 0;
	let file: FileHandle | undefined;
	try {
		await pipeline(content, async (source: AsyncIterable<Buffer | string>) => {
			for await (const one of source) {
				const part = Buffer.from(one);
				bytes += part.length;
				parts.push(part);
				if (bytes <= maxInMemory) continue;
				file ??= await openNameless(folder);
				for (const held of parts.splice(0)) await file.appendFile(held);
			}
		});
	} catch (error) {
		await file?.close();
		throw error;
	}
	return file ? onDisk(file, bytes) : inMemory(Buffer.concat(parts), bytes);
}

function inMemory(all: Buffer<ArrayBuffer>, bytes: number): Spooled {
	return {
		bytes,
		read: async (start, length) => all.subarray(start, start + length),
		close: async () => undefined
	};
}

function onDisk(file: FileHandle, bytes: number): Spooled {
	return {
		bytes,
		async read(start, length) {
			const piece = Buffer.alloc(Math.min(length, bytes - start));
			let filled = 0;
			while (filled < piece.length) {
				const { bytesRead } = await file.read(piece, filled, piece.length - filled, start + filled);
				if (bytesRead === 0) throw new Error('the spooled file is shorter than what was written to it');
				filled += bytesRead;
			}
			return piece;
		},
		close: () => file.close()
	};
}

async function openNameless(folder: string): Promise<FileHandle> {
	const name = path.join(folder, `asura-spool-${randomUUID()}`);
	const file = await open(name, 'wx+', 0o600);
	await rm(name);
	return file;
}
