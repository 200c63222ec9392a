// What a crash in an unlucky moment, or a storage that lost something, leaves behind. Found here, mended by the
// sweeper, listed by `npm run doctor`.
import { isLostSql } from '../files/lost.ts';
import type { BlobStore, Db } from '../platform/platform.ts';
import type { Queue } from '../queue/queue.ts';

const atOnce = 500;

export type Unfinished = { id: string; sizeBytes: number };

/**
 * Files that are at work according to their row while no job is there. The rows are read first: one that ends or is
 * put off meanwhile is not at work any more, or has a job.
 */
export async function findStranded(db: Db, queue: Pick<Queue, 'live'>): Promise<Unfinished[]> {
	const { rows } = await db.query<Unfinished & { attempt: number }>(
		`select id::text, queued_attempt as attempt, size_bytes::float8 as "sizeBytes" from public.files
		 where status in ('pending', 'processing')`
	);
	const live = await queue.live();
	return rows.filter(({ id, attempt }) => live.get(id) !== attempt);
}

/** Files whose original is not in the storage, and which nobody has told so yet. */
export async function* findLost(db: Db, blobs: BlobStore, signal?: AbortSignal): AsyncGenerator<string> {
	for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
		const { rows } = await db.query<{ id: string; blob_id: string }>(
			`select f.id::text, f.blob_id::text from public.files f
			 where f.id > $1::text::uuid and not ${isLostSql} order by f.id limit ${atOnce}`,
			[after]
		);
		for (const { id, blob_id } of rows) {
			if (signal?.aborted) return;
			if (!(await blobs.stat(`${blob_id}/original`))) yield id;
		}
		const last = rows.at(-1);
		if (!last || rows.length < atOnce) return;
		after = last.id;
	}
}

/** Blobs that no row points at; younger ones than `minAgeMs` may be on their way to one. */
export async function* findOrphans(
	db: Db,
	blobs: BlobStore,
	{ minAgeMs, signal }: { minAgeMs: number; signal?: AbortSignal }
): AsyncGenerator<string> {
	const youngest = Date.now() - minAgeMs;
	let old: string[] = [];
	for await (const { key, modifiedAt } of blobs.list('')) {
		if (signal?.aborted) return;
		if (modifiedAt.getTime() <= youngest) old.push(key);
		if (old.length < atOnce) continue;
		yield* await unused(db, old);
		old = [];
	}
	if (old.length > 0) yield* await unused(db, old);
}

async function unused(db: Db, keys: readonly string[]): Promise<string[]> {
	const idOf = (key: string) => key.split('/')[0] ?? '';
	const { rows } = await db.query<{ blob_id: string }>(
		'select distinct blob_id::text from public.files where blob_id::text = any($1::text[])',
		[[...new Set(keys.map(idOf))]]
	);
	const used = new Set(rows.map(({ blob_id }) => blob_id));
	return keys.filter((key) => !used.has(idOf(key)));
}
