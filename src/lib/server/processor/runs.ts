// What we and the processor know of each other about one file: a row, made before the file is handed over, and locked
// by whoever decides something about it.
import * as v from 'valibot';
import { ReportedPage, ReportStatus } from '#lib/shared/processing-report.ts';
import type { Db, Tx } from '../platform/platform.ts';

const Run = v.object({
	id: v.string(),
	queuedAttempt: v.number(),
	status: v.nullable(ReportStatus),
	message: v.string(),
	isDecided: v.boolean(),
	isTaken: v.boolean(),
	/** Since it was last heard of, or handed over. */
	silentSeconds: v.number()
});
export type Run = v.InferOutput<typeof Run>;

const RunOfFile = v.object({
	...Run.entries,
	fileStatus: v.string(),
	fileAttempt: v.number(),
	userId: v.string()
});
export type RunOfFile = v.InferOutput<typeof RunOfFile>;

const columns = `
	r.id::text, r.queued_attempt as "queuedAttempt", r.status, r.message, r.is_decided as "isDecided",
	r.taken_at is not null as "isTaken", extract(epoch from now() - r.heard_at)::float8 as "silentSeconds"`;

export async function findRun(db: Db, fileId: string, queuedAttempt: number): Promise<Run | undefined> {
	const { rows } = await db.query(
		`select ${columns} from asura.processor_runs r where r.file_id = $1 and r.queued_attempt = $2`,
		[fileId, queuedAttempt]
	);
	return rows[0] && v.parse(Run, rows[0]);
}

/** A new one in the place of whatever there was: the addresses of that one are good for nothing from now on. */
export async function beginRun(db: Db, fileId: string, queuedAttempt: number): Promise<string> {
	const { rows } = await db.query<{ id: string }>(
		`insert into asura.processor_runs as r (file_id, queued_attempt) values ($1, $2)
		 on conflict (file_id) do update set id = gen_random_uuid(), queued_attempt = excluded.queued_attempt,
			status = null, message = '', pages = null, is_decided = false, taken_at = null, heard_at = now()
		 returning r.id::text`,
		[fileId, queuedAttempt]
	);
	return v.parse(v.string(), rows[0]?.id);
}

/** Reports may have come before the processor's answer did. */
export async function markTaken(db: Db, id: string): Promise<void> {
	await db.query('update asura.processor_runs set taken_at = now(), heard_at = now() where id = $1', [id]);
}

export async function pagesOfRun(db: Db, id: string): Promise<ReportedPage[]> {
	const { rows } = await db.query('select pages from asura.processor_runs where id = $1', [id]);
	return v.parse(v.nullish(v.array(ReportedPage), []), rows[0]?.pages);
}

/** The file first and then its run, as everybody else locks them. */
export async function lockRun(tx: Tx, fileId: string): Promise<RunOfFile | undefined> {
	const file = await tx.query(
		`select f.status as "fileStatus", f.queued_attempt as "fileAttempt", f.user_id::text as "userId"
		 from public.files f where f.id = $1 for update`,
		[fileId]
	);
	const run = await tx.query(
		`select ${columns} from asura.processor_runs r where r.file_id = $1 for update`,
		[fileId]
	);
	return file.rows[0] && run.rows[0] && v.parse(RunOfFile, { ...file.rows[0], ...run.rows[0] });
}

/** Locked, so that a decision comes either before this or after the transaction has ended. */
export async function lockDecision(tx: Tx, id: string): Promise<boolean> {
	const { rows } = await tx.query<{ isDecided: boolean }>(
		'select r.is_decided as "isDecided" from asura.processor_runs r where r.id = $1 for update',
		[id]
	);
	return rows[0]?.isDecided ?? true;
}
