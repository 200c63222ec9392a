// The files of a project go from one person's storage into another's, with their passages and vectors. The project stays
// where it is, and so does whoever looks at it.
import { problem } from '../errors.ts';
import type { Tx } from '../platform/platform.ts';
import { usedBytesSql } from './insert.ts';

type HandOver = { projectId: string; from: string; to: string; quotaBytes: number };

/** The caller holds the locks of both. */
export async function handOverFiles(tx: Tx, { projectId, from, to, quotaBytes }: HandOver): Promise<void> {
	const { rows: files } = await tx.query<{ status: string }>(
		'select status from public.files where project_id = $1 order by id for no key update',
		[projectId]
	);
	// Whoever has one in hand writes for the person it knows of.
	if (files.some(({ status }) => status === 'processing')) throw problem('project.at_work');
	const used = await tx.query<{ used_bytes: number }>(usedBytesSql, [to, null]);
	const more = await tx.query<{ bytes: number }>(bytesSql, [projectId]);
	if ((used.rows[0]?.used_bytes ?? 0) + (more.rows[0]?.bytes ?? 0) > quotaBytes)
		throw problem('upload.quota_exceeded');
	await tx.query(copyVectorsSql, [projectId, from, to]);
	await tx.query(
		`update public.chunks c set user_id = $2 from public.files f where f.id = c.file_id and f.project_id = $1`,
		[projectId, to]
	);
	await tx.query(dropVectorsSql, [projectId, from]);
	await tx.query('update public.files set user_id = $2 where project_id = $1', [projectId, to]);
	// Otherwise they would go with the account of the person before, and whoever was away would not hear of the deletions.
	await tx.query('update asura.deleted_files set user_id = $2 where scope_id = $1', [projectId, to]);
	await tx.query('update asura.uploads set user_id = $2 where project_id = $1', [projectId, to]);
}

/** What they take, and what is being sent to them has announced. */
const bytesSql = `
	select (
		(select coalesce(sum(size_bytes), 0) from public.files where project_id = $1 and duplicate_of is null) +
		(select coalesce(sum(size_bytes), 0) from asura.uploads where project_id = $1 and file_id is null)
	)::float8 as bytes`;

const texts = `
	select distinct c.hash from public.chunks c join public.files f on f.id = c.file_id where f.project_id = $1`;

const copyVectorsSql = `
	insert into public.embeddings (user_id, hash, model, embedding)
	select $3::uuid, e.hash, e.model, e.embedding
	from (${texts}) t join public.embeddings e on e.user_id = $2::uuid and e.hash = t.hash
	on conflict do nothing`;

/** Those of texts that the person before has in no other file. */
const dropVectorsSql = `
	delete from public.embeddings e using (${texts}) t
	where e.user_id = $2::uuid and e.hash = t.hash and not exists (
		select from public.chunks c where c.user_id = $2::uuid and c.hash = e.hash
	)`;
