// What a crash in an unlucky moment leaves behind: blobs that no row points at, files that are at work according to
// their row while no job is there, scratch folders of a process that is gone. Swept at the start and every hour; the log says what was found.
import type { Files } from '../files/files.ts';
import type { Log } from '../log.ts';
import type { BlobStore, Db } from '../platform/platform.ts';
import type { Queue } from '../queue/queue.ts';
import { removeAbandonedScratch } from './scratch.ts';

export type SweeperDeps = {
	db: Db;
	blobs: BlobStore;
	files: Pick<Files, 'queueAgain'>;
	queue: Pick<Queue, 'live'>;
	log: Log;
	everyMs?: number;
	/** Younger blobs may be on their way to a row. */
	minAgeMs?: number;
};

export type Swept = { orphanBlobs: number; strandedFiles: number; scratchFolders: number };

const atOnce = 500;

export function createSweeper(deps: SweeperDeps) {
	const { log, everyMs = 3_600_000 } = deps;
	let timer: NodeJS.Timeout | undefined;
	let sweeping: Promise<void> = Promise.resolve();
	const stopping = new AbortController();

	async function sweep(): Promise<Swept> {
		const swept = {
			strandedFiles: await queueStranded(deps),
			orphanBlobs: await removeOrphans(deps, stopping.signal),
			scratchFolders: await removeAbandonedScratch()
		};
		if (swept.orphanBlobs > 0 || swept.strandedFiles > 0)
			log.warn(swept, 'left behind by a crash, and mended');
		return swept;
	}

	function sweepNow(): void {
		sweeping = sweep().then(
			() => undefined,
			(error: unknown) => log.error({ err: error }, 'the sweep failed')
		);
	}

	return {
		sweep,
		start(): void {
			sweepNow();
			timer = setInterval(sweepNow, everyMs).unref();
		},
		async stop(): Promise<void> {
			clearInterval(timer);
			stopping.abort();
			await sweeping;
		}
	};
}

/** The files are read first: one that ends or is put off meanwhile is not at work any more, or has a job. */
async function queueStranded({ db, files, queue }: SweeperDeps): Promise<number> {
	const { rows } = await db.query<{ id: string; attempt: number; size_bytes: number }>(
		`select id::text, queued_attempt as attempt, size_bytes::float8 as size_bytes from public.files
		 where status in ('pending', 'processing')`
	);
	const live = await queue.live();
	const stranded = rows.filter(({ id, attempt }) => live.get(id) !== attempt);
	for (const { id, size_bytes } of stranded) await files.queueAgain({ fileId: id, sizeBytes: size_bytes });
	return stranded.length;
}

async function removeOrphans(deps: SweeperDeps, signal: AbortSignal): Promise<number> {
	const { blobs, minAgeMs = 600_000 } = deps;
	const youngest = Date.now() - minAgeMs;
	let removed = 0;
	let old: string[] = [];
	for await (const { key, modifiedAt } of blobs.list('')) {
		if (signal.aborted) return removed;
		if (modifiedAt.getTime() <= youngest) old.push(key);
		if (old.length < atOnce) continue;
		removed += await removeUnused(deps, old);
		old = [];
	}
	return removed + (await removeUnused(deps, old));
}

async function removeUnused({ db, blobs }: SweeperDeps, keys: string[]): Promise<number> {
	if (keys.length === 0) return 0;
	const idOf = (key: string) => key.split('/')[0] ?? '';
	const { rows } = await db.query<{ blob_id: string }>(
		'select distinct blob_id::text from public.files where blob_id::text = any($1::text[])',
		[[...new Set(keys.map(idOf))]]
	);
	const used = new Set(rows.map(({ blob_id }) => blob_id));
	const orphans = keys.filter((key) => !used.has(idOf(key)));
	await blobs.remove(orphans);
	return orphans.length;
}
