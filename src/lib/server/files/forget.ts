// Everything that a person keeps here, gone at once: rows, passages, vectors, blobs, and the work on them.
import type { Tx } from '../platform/platform.ts';
import { type Ends, removeBlobs } from './end.ts';
import { lockOwner } from './owner-lock.ts';

/**
 * `andMore` goes in the same transaction, under the owner's lock: an upload that is under way comes before it, and is
 * removed with the rest, or after it, and is refused. Blobs go last; a crash before leaves some for the sweeper.
 */
export async function forgetOwner(
	{ db, blobs, jobs }: Ends,
	userId: string,
	andMore: (tx: Tx) => Promise<void>
): Promise<void> {
	const files = await db.tx(async (tx) => {
		await lockOwner(tx, userId);
		const { rows } = await tx.query<{ id: string; blob_id: string }>(
			'select id::text, blob_id::text from public.files where user_id = $1',
			[userId]
		);
		await tx.query('delete from public.files where user_id = $1', [userId]);
		await tx.query('delete from public.embeddings where user_id = $1', [userId]);
		await andMore(tx);
		// Nobody is left who would have to hear that they are gone.
		await tx.query('delete from asura.deleted_files where user_id = $1', [userId]);
		return rows;
	});
	for (const { id } of files) await jobs.cancel(id);
	for (const blobId of new Set(files.map(({ blob_id }) => blob_id))) await removeBlobs(blobs, blobId);
}
