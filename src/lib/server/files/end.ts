// How a file leaves processing against its will (cancel, delete, given up) and how it comes back (retry). Each is one
// transaction on the row; afterwards the work in hand is stopped, and only then the blobs go, so that work under way
// cannot put them back. A crash in between leaves blobs without a row, for the sweeper.
import type { StoredFile } from '#lib/shared/files.ts';
import { problem } from '../errors.ts';
import type { BlobStore, Db, Tx } from '../platform/platform.ts';
import type { Bell } from './bell.ts';
import { checkFileId } from './ids.ts';
import type { Job, Jobs } from './job.ts';
import { lockOwner } from './owner-lock.ts';
import { removePassages } from './passages.ts';
import type { Passwords } from './passwords.ts';
import { fileColumns, toStoredFile } from './row.ts';

export type Ends = { db: Db; blobs: BlobStore; bell: Bell; jobs: Jobs; passwords: Passwords };

/** The original stays, so that it can be retried; everything that processing made of it goes. */
export async function cancelFile(ends: Ends, userId: string, id: string): Promise<StoredFile> {
	const { db, blobs, bell, jobs, passwords } = ends;
	const { file, attempt, blobId, isShared } = await db.tx(async (tx) => {
		await lockOwner(tx, userId);
		const { rows } = await tx.query<Row>(cancelSql, [checkFileId(id), userId]);
		const row = rows[0] ?? (await refuse(tx, userId, id, 'file.not_cancellable'));
		await removePassages(tx, { id, userId });
		await tx.query('delete from asura.file_stages where file_id = $1', [id]);
		await passwords.forget(id, tx);
		const { attempt, blob_id: blobId } = row;
		return { file: toStoredFile(row), attempt, blobId, isShared: await isBlobUsed(tx, blobId, id) };
	});
	bell.ring(userId);
	await jobs.cancel(id, attempt);
	if (!isShared) await removeBlobs(blobs, blobId, (key) => !key.endsWith('/original'));
	return file;
}

/** Nothing of it remains: neither row, passage, vector nor blob. */
export async function removeFile(ends: Ends, userId: string, id: string): Promise<void> {
	const { db, blobs, bell, jobs } = ends;
	const { blobId, isShared } = await db.tx(async (tx) => {
		await lockOwner(tx, userId);
		const { rows } = await tx.query<{ blob_id: string }>(
			'select blob_id::text from public.files where id = $1 and user_id = $2 for update',
			[checkFileId(id), userId]
		);
		const blobId = rows[0]?.blob_id;
		if (blobId === undefined) throw problem('file.not_found');
		await removePassages(tx, { id, userId });
		await tx.query(inheritSql, [id]);
		await tx.query('delete from public.files where id = $1', [id]);
		return { blobId, isShared: await isBlobUsed(tx, blobId, id) };
	});
	bell.ring(userId);
	await jobs.cancel(id);
	if (!isShared) await removeBlobs(blobs, blobId);
}

export type Retry = {
	password?: string | undefined;
	/** From the beginning, also when it is completed; until then it is found as it was. */
	again?: boolean | undefined;
};

/** What earlier attempts finished is kept, and processing goes on from there, unless all of it is to be done again. */
export async function retryFile(
	{ db, bell, jobs, passwords }: Ends,
	userId: string,
	id: string,
	{ password, again = false }: Retry = {}
): Promise<StoredFile> {
	const file = await db.tx(async (tx) => {
		const from = again ? ['failed', 'cancelled', 'completed'] : ['failed', 'cancelled'];
		const { rows } = await tx.query<Row>(retrySql, [[checkFileId(id)], userId, from]);
		const row = rows[0] ?? (await refuse(tx, userId, id, 'file.not_retryable'));
		if (again) await tx.query('delete from asura.file_stages where file_id = $1', [id]);
		if (password !== undefined) await passwords.keep(tx, id, password);
		return sendAgain(tx, jobs, row, { again, backlog: 0 });
	});
	bell.ring(userId);
	return file;
}

/** Everything that failed; a few at a time, because a transaction keeps others waiting. */
export async function retryFailed({ db, bell, jobs }: Ends, userId: string): Promise<StoredFile[]> {
	const { rows: failed } = await db.query<{ id: string }>(
		`select id::text from public.files where scope_id = $1 and status = 'failed' order by created_at`,
		[userId]
	);
	const files: StoredFile[] = [];
	for (let i = 0; i < failed.length; i += retriedAtOnce) {
		const ids = failed.slice(i, i + retriedAtOnce).map(({ id }) => id);
		await db.tx(async (tx) => {
			const { rows } = await tx.query<Row>(retrySql, [ids, userId, ['failed']]);
			const byId = new Map(rows.map((row) => [String(row.id), row]));
			// An update returns its rows in any order; they are queued in the order in which they came.
			for (const row of ids.flatMap((id) => byId.get(id) ?? []))
				files.push(await sendAgain(tx, jobs, row, { again: false, backlog: files.length }));
		});
		bell.ring(userId);
	}
	return files;
}

type How = { again: boolean; backlog: number };

async function sendAgain(tx: Tx, jobs: Jobs, row: Row, { again, backlog }: How): Promise<StoredFile> {
	const file = toStoredFile(row);
	const job = { fileId: file.id, attempt: row.attempt, sizeBytes: file.size_bytes };
	await jobs.send(tx, again ? { ...job, kind: 'anew' } : job, backlog);
	return file;
}

/** Before all others that wait. Of one that is at work already nothing changes. */
export async function preferFile({ db, jobs }: Ends, userId: string, id: string): Promise<StoredFile> {
	return db.tx(async (tx) => {
		const { rows } = await tx.query(
			`select ${fileColumns} from public.files f
			 where f.id = $1 and f.user_id = $2 and f.status in ('pending', 'processing')`,
			[checkFileId(id), userId]
		);
		const file = rows[0] ? toStoredFile(rows[0]) : await refuse(tx, userId, id, 'file.not_waiting');
		await jobs.prefer(tx, { fileId: id, sizeBytes: file.size_bytes });
		return file;
	});
}

/**
 * The file's job was lost too often. A file that got further meanwhile did not cause that: it was at work when others
 * did, so it gets a fresh job. A file that gets nowhere has failed.
 */
export async function giveUpFile({ db, bell, jobs }: Ends, job: Job): Promise<'failed' | 'again' | 'gone'> {
	const { outcome, userId } = await db.tx(async (tx) => {
		const { rows } = await tx.query<{ user_id: string; got_further: boolean }>(lostSql, [
			job.fileId,
			job.attempt
		]);
		const row = rows[0];
		if (!row) return { outcome: 'gone' as const, userId: undefined };
		if (!row.got_further) {
			await tx.query(gaveUpSql, [job.fileId, 'job.gave_up', problem('job.gave_up').message]);
			return { outcome: 'failed' as const, userId: row.user_id };
		}
		await queueAgain(tx, jobs, job);
		return { outcome: 'again' as const, userId: row.user_id };
	});
	if (userId) bell.ring(userId);
	return outcome;
}

/** A new job for a file that is pending or processing; one of an older attempt may not claim it any more. */
export async function queueAgain(
	tx: Tx,
	jobs: Jobs,
	file: Pick<Job, 'fileId' | 'sizeBytes'>
): Promise<number | undefined> {
	const { rows } = await tx.query<{ attempt: number }>(
		`update public.files set attempt = attempt + 1, queued_attempt = attempt + 1
		 where id = $1 and status in ('pending', 'processing') returning attempt`,
		[file.fileId]
	);
	const row = rows[0];
	if (row) await jobs.send(tx, { ...file, attempt: row.attempt });
	return row?.attempt;
}

export async function removeBlobs(
	blobs: BlobStore,
	blobId: string,
	which: (key: string) => boolean = () => true
): Promise<void> {
	const keys: string[] = [];
	for await (const { key } of blobs.list(`${blobId}/`)) keys.push(key);
	await blobs.remove(keys.filter(which));
}

const retriedAtOnce = 100;

type Row = Record<string, unknown> & { attempt: number; blob_id: string };

async function refuse(
	tx: Tx,
	userId: string,
	id: string,
	code: 'file.not_cancellable' | 'file.not_retryable' | 'file.not_waiting'
): Promise<never> {
	const { rowCount } = await tx.query('select from public.files where id = $1 and user_id = $2', [
		id,
		userId
	]);
	throw problem(rowCount === 0 ? 'file.not_found' : code);
}

async function isBlobUsed(tx: Tx, blobId: string, byOthersThan: string): Promise<boolean> {
	const { rowCount } = await tx.query('select from public.files where blob_id = $1 and id <> $2 limit 1', [
		blobId,
		byOthersThan
	]);
	return rowCount > 0;
}

const cancelSql = `
	update public.files f set status = 'cancelled', attempt = attempt + 1, queue_position = null, activity = null, stage_progress = '{}',
		eta_seconds = null, variants = '{}', compressed_bytes = null
	where id = $1 and user_id = $2 and status in ('pending', 'processing')
	returning f.attempt, f.blob_id::text, ${fileColumns}`;

const retrySql = `
	update public.files f set status = 'pending', attempt = attempt + 1, queued_attempt = attempt + 1, progress = 0,
		processing_stage = null, activity = null, stage_progress = '{}', eta_seconds = null, error_code = null, error_message = null,
		warnings = '[]'
	where id = any($1::text[]::uuid[]) and user_id = $2 and status = any($3::text[])
	returning f.attempt, ${fileColumns}`;

/** The oldest duplicate takes the place of the one that goes; the others are its duplicates now. */
const inheritSql = `
	with heir as (
		select id from public.files where duplicate_of = $1 order by created_at, id limit 1
	)
	update public.files f set duplicate_of = nullif(heir.id, f.id) from heir where f.duplicate_of = $1`;

const lostSql = `
	select f.user_id::text, exists (
		select from asura.file_stages s where s.file_id = f.id and s.attempt > f.queued_attempt
	) as got_further
	from public.files f
	where f.id = $1 and f.queued_attempt = $2 and f.status in ('pending', 'processing') for update`;

const gaveUpSql = `
	update public.files set status = 'failed', error_code = $2, error_message = $3, queue_position = null,
		activity = null, stage_progress = '{}', eta_seconds = null
	where id = $1`;
