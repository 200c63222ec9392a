// A claim on a file: who holds it is the only one who may write what processing makes of it. Each claim has a number,
// every write carries it, and the database refuses the writes of an older one, of a cancelled and of a deleted file.
// Such a refusal is a LostClaim: nothing is wrong, somebody else has the file now, the work ends quietly.
import type { Activity, Stage, StageProgress, Warning } from '#lib/shared/files.ts';
import type { AppError } from '../errors.ts';
import type { Db, Queryable, Tx } from '../platform/platform.ts';
import type { Bell } from './bell.ts';
import type { Job } from './job.ts';
import { lockOwner, shareOwnerLock } from './owner-lock.ts';
import { removePassages } from './passages.ts';
import { copyPassages, outcomeOfTwinSet } from './reuse.ts';

export class LostClaim extends Error {
	override readonly name = 'LostClaim';
	constructor() {
		super('The file was claimed anew, cancelled or deleted.');
	}
}

export type ClaimedFile = {
	id: string;
	userId: string;
	blobId: string;
	filename: string;
	fileType: string;
	sizeBytes: number;
	sha256: string;
	/** Where an earlier delivery of the same job left it; it never goes back. */
	progress: number;
};

export type ProgressState = {
	progress: number;
	stage: Stage;
	activity: Activity | null;
	stages: StageProgress;
	etaSeconds: number | null;
};

export type Variants = Record<string, { type: string; bytes: number }>;

export type Outcome = {
	pageCount: number | null;
	chunkCount: number;
	warnings: Warning[];
};

type AndMore = (tx: Tx) => Promise<void>;

export type Claim = Awaited<ReturnType<typeof claimFile>> & {};

export async function claimFile({ db, bell }: { db: Db; bell: Bell }, job: Job) {
	const { rows } = await db.query<ClaimedFile & { attempt: number }>(claimSql, [job.fileId, job.attempt]);
	const row = rows[0];
	if (!row) return undefined;
	const { attempt, ...file } = row;
	const fence = [file.id, attempt];
	bell.ring(file.userId);

	/** What `fn` writes is committed only if the claim still holds; nobody can take it away in between. */
	async function tx<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
		return db.tx(async (tx) => {
			await shareOwnerLock(tx, file.userId);
			const { rowCount } = await tx.query(
				`select from public.files where id = $1 and attempt = $2 and status = 'processing' for share`,
				fence
			);
			if (rowCount === 0) throw new LostClaim();
			return fn(tx);
		});
	}

	async function write(on: Queryable, set: string, params: unknown[]): Promise<void> {
		const { rowCount } = await on.query(
			`update public.files set ${set} where id = $1 and attempt = $2 and status = 'processing'`,
			[...fence, ...params]
		);
		if (rowCount === 0) throw new LostClaim();
	}

	return {
		file,
		attempt,
		tx,

		async progress({ progress, stage, activity, stages, etaSeconds }: ProgressState): Promise<void> {
			const params = [Math.min(progress, 99.9), stage, toJson(activity), etaSeconds, toJson(stages)];
			await write(db, progressSet, params);
			bell.ring(file.userId);
		},

		/** Nothing is done for a while, because somebody else does not answer. */
		async wait(seconds: number): Promise<void> {
			await write(db, 'activity = $3::text::jsonb, eta_seconds = null', [
				toJson({ unit: 'seconds_waiting', done: 0, total: seconds } satisfies Activity)
			]);
			bell.ring(file.userId);
		},

		/** `andMore` in the same transaction; the row that is written keeps everybody else away until it ends. */
		async keepVariants(variants: Variants, andMore?: AndMore): Promise<void> {
			await db.tx(async (tx) => {
				await write(tx, variantsSet, [toJson(variants), variants.compressed?.bytes ?? null]);
				await andMore?.(tx);
			});
			bell.ring(file.userId);
		},

		/** Searchable from now on; passages that an earlier attempt left behind the last one go. */
		async complete({ pageCount, chunkCount, warnings }: Outcome, andMore?: AndMore): Promise<void> {
			await db.tx(async (tx) => {
				await lockOwner(tx, file.userId);
				await write(tx, completeSet, [pageCount, chunkCount, toJson(warnings)]);
				await removePassages(tx, file, chunkCount);
				await tx.query(sameVariantsSql, [file.id]);
				await andMore?.(tx);
			});
			bell.ring(file.userId);
		},

		/** Completed with what came out of a twin; false when there is nothing to take over. */
		async completeAs(twinId: string, model: string): Promise<boolean> {
			const isDone = await db.tx(async (tx) => {
				await lockOwner(tx, file.userId);
				await write(tx, 'activity = null', []);
				if (!(await copyPassages(tx, file.id, twinId, model))) return false;
				await write(tx, outcomeOfTwinSet, [twinId]);
				return true;
			});
			bell.ring(file.userId);
			return isDone;
		},

		async fail({ code, message }: Pick<AppError, 'code' | 'message'>): Promise<void> {
			await write(db, failSet, [code, message]);
			bell.ring(file.userId);
		}
	};
}

function toJson(value: unknown): string | null {
	return value === null ? null : JSON.stringify(value);
}

const claimSql = `
	update public.files set status = 'processing', attempt = attempt + 1, queue_position = null,
		processing_stage = coalesce(processing_stage, 'compression'), activity = null, stage_progress = '{}',
		eta_seconds = null
	where id = $1 and queued_attempt = $2 and status in ('pending', 'processing')
	returning attempt, id::text, user_id::text as "userId", blob_id::text as "blobId", filename,
		file_type as "fileType", size_bytes::float8 as "sizeBytes", sha256, progress::float8 as progress`;

const progressSet = `
	progress = greatest(progress, $3::real), processing_stage = $4, activity = $5::text::jsonb, eta_seconds = $6::real,
	stage_progress = $7::text::jsonb`;

const variantsSet = `
	variants = variants || $3::text::jsonb, compressed_bytes = coalesce($4::bigint, compressed_bytes)`;

const completeSet = `
	status = 'completed', progress = 100, processing_stage = null, activity = null, stage_progress = '{}', eta_seconds = null,
	page_count = $3::int, chunk_count = $4::int, warnings = $5::text::jsonb`;

const failSet = `status = 'failed', error_code = $3, error_message = $4, activity = null, stage_progress = '{}',
	eta_seconds = null`;

/** Rows that share the blob share what was made of it. */
const sameVariantsSql = `
	update public.files t set variants = f.variants, compressed_bytes = f.compressed_bytes from public.files f
	where f.id = $1 and t.blob_id = f.blob_id and t.status = 'completed' and t.variants <> f.variants`;
