// The same bytes were processed before: the file takes over what came out, and nothing is done or paid again.
import type { Tx } from '../platform/platform.ts';
import { isLostSql } from './lost.ts';

export type Twin = { id: string; isBusy: boolean; waitedSeconds: number };

/** Another file that shares the bytes: one that is completed, or an earlier one still at work. */
export const findTwinSql = `
	select f.id::text, f.status <> 'completed' as "isBusy",
		extract(epoch from now() - own.created_at)::float8 as "waitedSeconds"
	from public.files own
	join public.files f on f.blob_id = own.blob_id and f.id <> own.id
	where own.id = $1 and not ${isLostSql} and (
		f.status = 'completed'
		or (f.status in ('pending', 'processing') and (f.created_at, f.id) < (own.created_at, own.id))
	)
	order by f.status = 'completed' desc limit 1`;

/** False when the twin is gone meanwhile, or was embedded by another model. */
export async function copyPassages(tx: Tx, fileId: string, twinId: string, model: string): Promise<boolean> {
	const { rows } = await tx.query<{ is_usable: boolean }>(
		`select not exists (
			select from public.chunks c where c.file_id = t.id and not exists (
				select from public.embeddings e
				where e.user_id = c.user_id and e.hash = c.hash and e.model = $2
			)
		) as is_usable
		from public.files t where t.id = $1 and t.status = 'completed' for share`,
		[twinId, model]
	);
	if (!rows[0]?.is_usable) return false;
	await tx.query('delete from public.chunks where file_id = $1', [fileId]);
	await tx.query(
		`insert into public.chunks (file_id, ordinal, user_id, page, section, text, hash)
		 select $1, ordinal, user_id, page, section, text, hash from public.chunks where file_id = $2`,
		[fileId, twinId]
	);
	return true;
}

/** A row of public.files: the outcome of the twin `$3`. */
export const outcomeOfTwinSet = `
	status = 'completed', progress = 100, processing_stage = null, activity = null, stage_progress = '{}', eta_seconds = null,
	(page_count, chunk_count, compressed_bytes, variants, warnings) = (
		select t.page_count, t.chunk_count, t.compressed_bytes, t.variants, t.warnings
		from public.files t where t.id = $3
	)`;
