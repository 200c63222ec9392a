// A consistent copy of the whole data folder as one tar stream. The database waits only while it is copied on disk;
// the stream is then read from that copy, however slow its reader is.
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConfigError } from '../../config.ts';
import { pack, unpack } from './archive.ts';
import { type CopyRequest, copyFolders } from './copy.ts';
import { foldersOf, halfRestored, refuseHalfRestored, removeStaging, withStaging } from './data-folder.ts';
import { exists, ignoring, syncFolder } from './durable.ts';
import { lockFolder } from './folder-lock.ts';

/** By the process that has the database open: `copy` is its PgliteDb's. */
export async function backUp(
	dataDir: string,
	copy: (request: CopyRequest) => Promise<void>,
	to: Writable
): Promise<void> {
	await withStaging(dataDir, async (staging) => {
		await copy({ from: foldersOf(dataDir), to: foldersOf(staging) });
		await pipeline(await pack(staging), to);
	});
}

/** While no server runs; how the last one ended does not matter. */
export async function backUpAtRest(dataDir: string, to: Writable): Promise<void> {
	const unlock = await lockFolder(dataDir);
	try {
		await refuseHalfRestored(dataDir);
		await removeStaging(dataDir);
		await backUp(dataDir, async (request) => copyFolders(request), to);
	} finally {
		await unlock();
	}
}

/**
 * Refuses a folder that holds data unless it may be replaced; until the whole backup was read and is on disk, nothing
 * there is touched.
 */
export async function restore(
	file: string,
	dataDir: string,
	options: { mayReplace: boolean }
): Promise<void> {
	await mkdir(dataDir, { recursive: true, mode: 0o700 });
	const unlock = await lockFolder(dataDir);
	try {
		if (!options.mayReplace) await refuseData(dataDir);
		await removeStaging(dataDir);
		await withStaging(dataDir, async (staging) => {
			const fresh = path.join(staging, 'fresh');
			await unpack(file, fresh);
			await replace(dataDir, fresh, path.join(staging, 'replaced'));
		});
	} finally {
		await unlock();
	}
}

async function refuseData(dataDir: string): Promise<void> {
	const { database, blobs } = foldersOf(dataDir);
	if (!(await exists(database)) && !(await exists(blobs))) return;
	throw new ConfigError(
		`${dataDir} already holds data. Choose another DATA_DIR, or add --force to replace what is there.`
	);
}

/** Interrupted half way, the mark stays, and nothing else will touch the folder. */
async function replace(dataDir: string, fresh: string, replaced: string): Promise<void> {
	const mark = path.join(dataDir, halfRestored);
	await writeFile(mark, '', { flush: true });
	await mkdir(replaced);
	for (const part of await readdir(fresh)) {
		await ignoring(['ENOENT'], () => rename(path.join(dataDir, part), path.join(replaced, part)));
		await rename(path.join(fresh, part), path.join(dataDir, part));
	}
	await syncFolder(dataDir);
	await rm(mark);
	await syncFolder(dataDir);
}
