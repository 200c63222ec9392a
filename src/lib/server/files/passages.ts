// Passages and their vectors when a file loses them. A vector belongs to a text, not to a file: it goes when no file
// of that person has the text any more. The caller holds the owner's lock.
import type { Tx } from '../platform/platform.ts';

/** From `fromOrdinal` on; all of them by default. */
export async function removePassages(
	tx: Tx,
	file: { id: string; userId: string },
	fromOrdinal = 0
): Promise<number> {
	await tx.query(
		`delete from public.embeddings e
		 using (select distinct hash from public.chunks where file_id = $1 and ordinal >= $3) gone
		 where e.user_id = $2 and e.hash = gone.hash and not exists (
			select from public.chunks c
			where c.user_id = $2 and c.hash = e.hash and not (c.file_id = $1 and c.ordinal >= $3)
		 )`,
		[file.id, file.userId, fromOrdinal]
	);
	const { rowCount } = await tx.query('delete from public.chunks where file_id = $1 and ordinal >= $2', [
		file.id,
		fromOrdinal
	]);
	return rowCount;
}
