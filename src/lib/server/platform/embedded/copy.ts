// A copy of database and blobs of one moment: pages are copied (on file systems that can, shared until written),
// blobs get a second name. So what is deleted or replaced a moment later stays in the copy.
import { constants, cpSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';

export type Folders = { database: string; blobs: string };
export type CopyRequest = { from: Folders; to: Folders };

type LogRange = { first: string; last: string };

/** While nobody else has the session. */
export async function copyDatabase(pg: PGlite, request: CopyRequest): Promise<void> {
	await pg.exec('checkpoint');
	const { rows } = await pg.query<LogRange>(
		`select pg_walfile_name(redo_lsn) as first, pg_walfile_name(pg_current_wal_insert_lsn()) as last
		 from pg_control_checkpoint()`
	);
	copyFolders(request, (file) => !isSpareLog(file, rows[0]));
}

/** While no process has the database open. */
export function copyFolders({ from, to }: CopyRequest, filter: (file: string) => boolean = () => true): void {
	cpSync(from.database, to.database, { recursive: true, mode: constants.COPYFILE_FICLONE, filter });
	linkTree(from.blobs, to.blobs);
}

/** Segments of the log that are kept for reuse hold nothing any more. */
function isSpareLog(file: string, used: LogRange | undefined): boolean {
	const name = path.basename(file);
	if (!used || path.basename(path.dirname(file)) !== 'pg_wal' || !/^[0-9A-F]{24}$/.test(name)) return false;
	return name < used.first || name > used.last;
}

function linkTree(from: string, to: string): void {
	mkdirSync(to, { recursive: true });
	for (const entry of readdirSync(from, { withFileTypes: true })) {
		// Blobs that are still arriving: no row refers to them.
		if (entry.name.startsWith('.')) continue;
		const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
		if (entry.isDirectory()) linkTree(source, target);
		else linkSync(source, target);
	}
}
