// A new file: its bytes are safe already, now its row and its job come into being together or not at all.
import type { StoredFile } from '#lib/shared/files.ts';
import { problem } from '../errors.ts';
import type { Tx } from '../platform/platform.ts';
import type { Jobs } from './job.ts';
import { isLostSql } from './lost.ts';
import { forOwner, lockOwner } from './owner-lock.ts';
import { type Arrival, checkArrival, findOwner } from './reach.ts';
import { fileColumns, toStoredFile } from './row.ts';

export type NewFile = {
	userId: string;
	/** Where the bytes are; not used when the same bytes are there already, in the same scope. */
	blobId: string;
	filename: string;
	folder?: string;
	fileType: string;
	sizeBytes: number;
	sha256: string;
	quotaBytes: number;
	/** The resumable upload (asura.uploads) that becomes this file, once. */
	uploadId?: string;
	/** The project that it is added to, and by whom; `userId` does not count then, but the project's owner. */
	into?: Arrival | undefined;
};

/** `isDuplicate`: the row shares the blob of an earlier one, and `blobId` is not needed any more. */
export async function insertFile(
	tx: Tx,
	jobs: Jobs,
	given: NewFile
): Promise<{ file: StoredFile; isDuplicate: boolean; ownerId: string }> {
	const ownerId = given.into ? await findOwner(tx, given.into) : given.userId;
	const file = { ...given, userId: ownerId };
	await lockOwner(tx, ownerId);
	if (file.into) await checkArrival(tx, { ...file.into, ownerId });
	const finished = file.uploadId && (await findFinished(tx, ownerId, file.uploadId));
	if (finished) return { file: finished, isDuplicate: true, ownerId };
	const { usedBytes, original, backlog } = await lookAround(tx, file);
	if (!original && usedBytes + file.sizeBytes > file.quotaBytes) throw problem('upload.quota_exceeded');
	const adding = tx.query(insertSql, [
		file.userId,
		original?.blob_id ?? file.blobId,
		file.filename,
		original?.file_type ?? file.fileType,
		file.sizeBytes,
		file.sha256,
		original?.id ?? null,
		file.folder ?? '',
		file.into?.projectId ?? null
	]);
	const { rows } = await forOwner(adding);
	const stored = toStoredFile(rows[0] ?? {});
	if (file.uploadId)
		await tx.query('update asura.uploads set file_id = $2 where id = $1', [file.uploadId, stored.id]);
	await jobs.send(tx, { fileId: stored.id, attempt: 0, sizeBytes: file.sizeBytes }, backlog);
	return { file: stored, isDuplicate: original !== undefined, ownerId };
}

/** The file that the upload has become; undefined when that is still to happen. */
async function findFinished(tx: Tx, userId: string, uploadId: string): Promise<StoredFile | undefined> {
	const { rows } = await tx.query<{ file_id: string | null }>(
		'select file_id::text from asura.uploads where id = $1 and user_id = $2 for update',
		[uploadId, userId]
	);
	if (!rows[0]) throw problem('upload.not_found');
	if (rows[0].file_id === null) return undefined;
	const found = await tx.query(`select ${fileColumns} from public.files f where f.id = $1`, [
		rows[0].file_id
	]);
	return toStoredFile(found.rows[0] ?? {});
}

/**
 * Rows that are nobody's duplicate (their duplicates cost no storage), and what unfinished uploads have announced;
 * $2 is an upload that does not count, or null.
 */
export const usedBytesSql = `
	select (
		(select coalesce(sum(size_bytes), 0) from public.files where user_id = $1 and duplicate_of is null) +
		(select coalesce(sum(size_bytes), 0) from asura.uploads
		 where user_id = $1 and file_id is null and id is distinct from $2::text::uuid)
	)::float8 as used_bytes`;

type Original = { id: string; blob_id: string; file_type: string };
type Around = { used_bytes: number; backlog: number; original: Original | null };

async function lookAround(tx: Tx, { userId, sha256, uploadId, into }: NewFile) {
	const { rows } = await tx.query<Around>(aroundSql, [
		userId,
		uploadId ?? null,
		sha256,
		into?.projectId ?? userId
	]);
	const { used_bytes: usedBytes = 0, backlog = 0, original } = rows[0] ?? {};
	return { usedBytes, backlog, original: original ?? undefined };
}

const insertSql = `
	insert into public.files as f
		(user_id, blob_id, filename, file_type, size_bytes, sha256, duplicate_of, folder, project_id)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	returning ${fileColumns}`;

/** What waits is counted among the newest; more than so many make no difference. */
const aroundSql = `
	select used.used_bytes, (
		select count(*)::int from (
			select status from public.files where user_id = $1 order by created_at desc, id desc limit 1024
		) newest where status = 'pending'
	) as backlog, (
		select jsonb_build_object('id', f.id, 'blob_id', f.blob_id, 'file_type', f.file_type) from public.files f
		where f.user_id = $1 and f.sha256 = $3 and f.scope_id = $4 and not ${isLostSql}
		order by f.duplicate_of nulls first, f.created_at, f.id limit 1
	) as original
	from (${usedBytesSql}) used`;
