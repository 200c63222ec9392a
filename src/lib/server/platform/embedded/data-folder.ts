// What stands where in DATA_DIR.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '../../config.ts';
import type { Folders } from './copy.ts';
import { exists } from './durable.ts';

const stagingPrefix = 'staging.';
/** Stands there while a restore moves the parts into place. */
export const halfRestored = 'half-restored';

export function foldersOf(dataDir: string): Folders {
	return { database: path.join(dataDir, 'db'), blobs: path.join(dataDir, 'files') };
}

/** A folder beside the data, for the time of `work`; on the same file system, so that files can be linked and moved. */
export async function withStaging<T>(dataDir: string, work: (folder: string) => Promise<T>): Promise<T> {
	const folder = path.join(dataDir, `${stagingPrefix}${randomUUID()}`);
	await mkdir(folder, { mode: 0o700 });
	try {
		return await work(folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** What a process that died left behind; for the owner of the folder only. */
export async function removeStaging(dataDir: string): Promise<void> {
	for (const name of await readdir(dataDir)) {
		if (name.startsWith(stagingPrefix)) await rm(path.join(dataDir, name), { recursive: true, force: true });
	}
}

export async function refuseHalfRestored(dataDir: string): Promise<void> {
	if (!(await exists(path.join(dataDir, halfRestored)))) return;
	throw new ConfigError(`A restore into ${dataDir} was interrupted. Run it again, with --force.`);
}
