// What an operator wants to know when something seems wrong, in one look; the mending is the sweeper's, and here also
// that of work which stands still although it has a job.
import type { Writable } from 'node:stream';
import * as v from 'valibot';
import type { Files } from '../files/files.ts';
import { isLostSql } from '../files/lost.ts';
import type { BlobStore, Db } from '../platform/platform.ts';
import type { Queue } from '../queue/queue.ts';
import { findLost, findOrphans, findStranded } from './leftovers.ts';
import type { Sweeper } from './sweeper.ts';

export type DoctorDeps = {
	db: Db;
	blobs: BlobStore;
	files: Pick<Files, 'queueAgain'>;
	queue: Pick<Queue, 'live' | 'stats' | 'cancel'>;
	sweeper: Pick<Sweeper, 'sweep'>;
	minAgeMs?: number;
	/** Work of which nothing was heard for so long. Every stage has a shorter patience. */
	stalledMs?: number;
};

const count = v.number();
const Listed = v.object({ id: v.string(), filename: v.string(), code: v.nullable(v.string()) });
const Some = v.object({ count, first: v.array(Listed) });

export const Report = v.object({
	databaseBytes: count,
	queue: v.object({ waiting: count, active: count }),
	/** For their owners to retry or delete; nothing is wrong with the server. */
	failed: Some,
	/** At work without a job, at work without a sign of life, without their bytes. */
	stranded: Some,
	stalled: Some,
	lost: Some,
	orphanBlobs: count
});
export type Report = v.InferOutput<typeof Report>;

export const Mended = v.object({
	lostFiles: count,
	strandedFiles: count,
	stalledFiles: count,
	orphanBlobs: count,
	expiredUploads: count,
	scratchFolders: count
});
export type Mended = v.InferOutput<typeof Mended>;

const Glance = v.object({ databaseBytes: count, failed: count });

export const DoctorAnswer = v.object({ mended: v.nullable(Mended), report: Report });
export type DoctorAnswer = v.InferOutput<typeof DoctorAnswer>;

const shown = 20;

export function createDoctor(deps: DoctorDeps) {
	const { db, blobs, files, queue, sweeper, minAgeMs = 600_000, stalledMs = 1_800_000 } = deps;

	const findStalled = async () => {
		const { rows } = await db.query<{ id: string; sizeBytes: number }>(stalledSql, [stalledMs / 1000]);
		return rows;
	};

	async function examine(): Promise<Report> {
		const stranded = await findStranded(db, queue);
		const lost = await Array.fromAsync(findLost(db, blobs), (id) => ({ id }));
		const orphans = await Array.fromAsync(findOrphans(db, blobs, { minAgeMs }));
		const { rows: sizes } = await db.query('select pg_database_size(current_database())::float8 as bytes');
		const { rows: failed } = await db.query<{ id: string }>(failedSql);
		return v.parse(Report, {
			databaseBytes: sizes[0]?.bytes,
			queue: await queue.stats(),
			failed: await list(db, failed),
			stranded: await list(db, stranded),
			stalled: await list(db, await findStalled()),
			lost: await list(db, lost),
			orphanBlobs: orphans.length
		});
	}

	/** What the database can say in a moment, without a look at the store. */
	async function glance() {
		const { rows } = await db.query(
			`select pg_database_size(current_database())::float8 as "databaseBytes",
				(select count(*)::float8 from public.files where status = 'failed') as failed`
		);
		return { ...v.parse(Glance, rows[0]), queue: await queue.stats() };
	}

	async function mend(): Promise<Mended> {
		const stalled = await findStalled();
		for (const { id, sizeBytes } of stalled) {
			// The new job first: what the old one still does is refused from then on.
			const attempt = await files.queueAgain({ fileId: id, sizeBytes });
			await queue.cancel(id, attempt);
		}
		return { ...(await sweeper.sweep()), stalledFiles: stalled.length };
	}

	return {
		glance,
		examine,
		mend,
		isWell,
		/** What was found, after the mending if that is asked for, as JSON for the command. */
		async answer(to: Writable, isToMend: boolean): Promise<void> {
			const mended = isToMend ? await mend() : null;
			const answer: DoctorAnswer = { mended, report: await examine() };
			to.end(JSON.stringify(answer));
		}
	};
}

/** Whether there is something that `mend` is for. */
export function isWell({ stranded, stalled, lost, orphanBlobs }: Report): boolean {
	return stranded.count + stalled.count + lost.count + orphanBlobs === 0;
}

async function list(db: Db, all: readonly { id: string }[]) {
	const first = all.slice(0, shown).map(({ id }) => id);
	const { rows } = await db.query(
		`select id::text, filename, error_code as code from public.files
		 where id = any($1::text[]::uuid[]) order by created_at desc`,
		[first]
	);
	return { count: all.length, first: rows };
}

const failedSql = `
	select f.id::text from public.files f where f.status = 'failed' or ${isLostSql} order by f.created_at desc`;

const stalledSql = `
	select id::text, size_bytes::float8 as "sizeBytes" from public.files
	where status = 'processing' and updated_at < now() - $1::float8 * interval '1 second'`;
