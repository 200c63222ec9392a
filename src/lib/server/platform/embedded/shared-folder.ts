// Files beside a Postgres: a folder that all processes share. It carries an id that the database knows, because a process
// that looks into another folder would find every file missing and tell people that they are lost.
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '../../config.ts';
import type { BlobStore, Db, Tx } from '../platform.ts';
import { foldersOf } from './data-folder.ts';
import { openDiskBlobs } from './disk-blobs.ts';
import { ignoring, syncFolder } from './durable.ts';

export async function openSharedFolder(db: Db, dataDir: string): Promise<BlobStore> {
	const root = foldersOf(dataDir).blobs;
	await mkdir(root, { recursive: true, mode: 0o700 });
	await db.tx((tx) => checkFolder(tx, root));
	return openDiskBlobs(root, { isShared: true });
}

/** The row is locked, so that of several first processes one decides. */
async function checkFolder(tx: Tx, root: string): Promise<void> {
	const { rows } = await tx.query<{ id: string | null }>(
		'select id::text from asura.files_folder for update'
	);
	const known = rows[0]?.id ?? undefined;
	const mark = path.join(root, '.folder');
	const found = (await ignoring(['ENOENT'], () => readFile(mark, 'utf8')))?.trim();
	if (known !== undefined && found === known) return;
	if (known !== undefined) {
		throw new ConfigError(
			`The files of this database are not in ${root}: all processes must share one folder. ` +
				`If it is the right one all the same, write ${known} into ${mark}.`
		);
	}
	const id = found ?? randomUUID();
	if (found === undefined) {
		await writeFile(mark, `${id}\n`, { flag: 'wx', mode: 0o600, flush: true });
		await syncFolder(root);
	}
	await tx.query('update asura.files_folder set id = $1::uuid', [id]);
}
