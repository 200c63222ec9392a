// A new database is made beside its place and moved there when it is whole and on disk: a start that is interrupted
// at any moment leaves either no database or a good one.
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { exists, syncFolder, syncTree } from './durable.ts';

export async function makeDatabaseOnce(folder: string): Promise<void> {
	if (await exists(folder)) return;
	const unfinished = `${folder}.new`;
	await rm(unfinished, { recursive: true, force: true });
	const pg = await PGlite.create(unfinished);
	await pg.close();
	await syncTree(unfinished);
	await rename(unfinished, folder);
	await syncFolder(path.dirname(folder));
}
