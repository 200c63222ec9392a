// Files put straight into the table, for tests of what follows changes and not of how files come to be.
import type { Queryable } from '#lib/server/platform/platform.ts';

export async function insertFile(db: Queryable, userId: string, filename = 'a.txt'): Promise<string> {
	const { rows } = await db.query<{ id: string }>(
		`insert into public.files (user_id, blob_id, filename, file_type, size_bytes, sha256)
		 values ($1, gen_random_uuid(), $2, 'text/plain', 10, repeat('a', 64)) returning id::text`,
		[userId, filename]
	);
	return rows[0]?.id ?? '';
}

export async function insertFiles(db: Queryable, userId: string, count: number): Promise<string[]> {
	const { rows } = await db.query<{ id: string }>(
		`insert into public.files (user_id, blob_id, filename, file_type, size_bytes, sha256)
		 select $1, gen_random_uuid(), 'file ' || n, 'text/plain', 10, repeat('a', 64)
		 from generate_series(1, $2::int) n returning id::text`,
		[userId, count]
	);
	return rows.map(({ id }) => id);
}

/** A tick: the file's visible state changed. */
export async function touchFile(db: Queryable, id: string, progress = 1): Promise<void> {
	await db.query(`update public.files set status = 'processing', progress = $2 where id = $1`, [
		id,
		progress
	]);
}

export async function deleteFile(db: Queryable, id: string): Promise<void> {
	await db.query('delete from public.files where id = $1', [id]);
}
