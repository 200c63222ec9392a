// BlobStore in a folder. A blob is written beside the others under a temporary name, made durable, and then renamed:
// under its key there is either nothing or all of it, also after a power cut.
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { problem } from '../../errors.ts';
import { checkKey, checkPrefix } from '../blob-key.ts';
import type { BlobInfo, BlobStore, ByteRange } from '../platform.ts';
import { ignoring, syncFolder } from './durable.ts';

// Never a key: keys begin with a letter or a digit.
const incoming = '.incoming';
const unfinishedMs = 24 * 3_600_000;

/**
 * What lies in the incoming folder is what a predecessor could not finish. Where several processes share `root`, it may
 * be what another one receives at this moment, unless it has not grown for long.
 */
export async function openDiskBlobs(root: string, { isShared = false } = {}): Promise<BlobStore> {
	await mkdir(path.join(root, incoming), { recursive: true });
	await removeUnfinished(path.join(root, incoming), isShared ? Date.now() - unfinishedMs : Infinity);
	await syncFolder(path.dirname(root));
	const place = (key: string) => path.join(root, ...checkKey(key).split('/'));
	return {
		put: async (key, content) => put(root, place(key), content),
		get: async (key, range) => get(place(key), range),
		stat: async (key) => inspect(place(key), key),
		remove: async (keys) => {
			for (const key of keys) await remove(root, place(key));
		},
		list: (prefix) => list(root, prefix),
		withLocalFile: async (key, fn) => {
			if (!(await inspect(place(key), key))) throw problem('file.variant_missing');
			return fn(place(key));
		}
	};
}

async function removeUnfinished(folder: string, olderThan: number): Promise<void> {
	for (const name of await readdir(folder)) {
		const file = path.join(folder, name);
		const info = await ignoring(['ENOENT'], () => stat(file));
		if (info && info.mtimeMs < olderThan) await rm(file, { recursive: true, force: true });
	}
}

async function put(root: string, target: string, content: Readable): Promise<{ bytes: number }> {
	const temporary = path.join(root, incoming, randomUUID());
	const file = createWriteStream(temporary, { flags: 'wx', flush: true });
	try {
		await pipeline(content, file);
		await moveIntoPlace(root, temporary, target);
	} catch (error) {
		await rm(temporary, { force: true });
		throw error;
	}
	return { bytes: file.bytesWritten };
}

async function moveIntoPlace(root: string, from: string, to: string): Promise<void> {
	const folder = path.dirname(to);
	// remove() may take the empty folder away between the two steps.
	for (let attempt = 0; ; attempt++) {
		await mkdir(folder, { recursive: true });
		const wasMoved = await ignoring(attempt < 5 ? ['ENOENT'] : [], async () => {
			await rename(from, to);
			return true;
		});
		if (wasMoved) break;
	}
	// A name is durable when each folder on the way to it is; one that is gone was removed together with the blob.
	for (let one = folder; one.length >= root.length; one = path.dirname(one)) {
		await ignoring(['ENOENT'], () => syncFolder(one));
	}
}

async function get(file: string, range: ByteRange | undefined): Promise<Readable> {
	const handle = await ignoring(['ENOENT', 'ENOTDIR', 'EISDIR'], () => open(file));
	if (!handle) throw problem('file.variant_missing');
	try {
		await checkReadable(handle, range);
		return handle.createReadStream({ start: range?.start ?? 0, ...(range && { end: range.end }) });
	} catch (error) {
		await handle.close();
		throw error;
	}
}

async function checkReadable(handle: FileHandle, range: ByteRange | undefined): Promise<void> {
	const info = await handle.stat();
	if (!info.isFile()) throw problem('file.variant_missing');
	if (range && (range.start < 0 || range.start > range.end || range.start >= info.size)) {
		throw problem('file.range_invalid');
	}
}

async function inspect(file: string, key: string): Promise<BlobInfo | undefined> {
	const info = await ignoring(['ENOENT', 'ENOTDIR'], () => stat(file));
	return info?.isFile() ? { key, bytes: info.size, modifiedAt: info.mtime } : undefined;
}

async function remove(root: string, file: string): Promise<void> {
	await rm(file, { force: true });
	for (let folder = path.dirname(file); folder.length > root.length; folder = path.dirname(folder)) {
		const wasEmpty = await ignoring(['ENOTEMPTY', 'EEXIST', 'ENOENT'], async () => {
			await rmdir(folder);
			return true;
		});
		if (!wasEmpty) return;
	}
}

async function* list(root: string, prefix: string): AsyncIterable<BlobInfo> {
	const start = checkPrefix(prefix).slice(0, prefix.lastIndexOf('/') + 1);
	for await (const key of walk(root, start)) {
		if (!key.startsWith(prefix)) continue;
		const info = await inspect(path.join(root, key), key);
		if (info) yield info;
	}
}

async function* walk(root: string, start: string): AsyncIterable<string> {
	const folder = await ignoring(['ENOENT', 'ENOTDIR'], () => opendir(path.join(root, start)));
	if (!folder) return;
	for await (const entry of folder) {
		if (entry.name.startsWith('.')) continue;
		if (entry.isDirectory()) yield* walk(root, `${start}${entry.name}/`);
		else yield start + entry.name;
	}
}
