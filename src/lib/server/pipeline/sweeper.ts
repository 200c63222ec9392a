// Mends what leftovers.ts finds, and removes scratch folders of a process that is gone: at the start and every hour,
// together with other upkeep. The log says what was done.
import type { Files } from '../files/files.ts';
import type { Log } from '../log.ts';
import type { BlobStore, Db } from '../platform/platform.ts';
import type { Queue } from '../queue/queue.ts';
import { findLost, findOrphans, findStranded } from './leftovers.ts';
import type { Scratch } from '../scratch.ts';

export type SweeperDeps = {
	db: Db;
	blobs: BlobStore;
	files: Pick<Files, 'queueAgain' | 'markLost'>;
	queue: Pick<Queue, 'live'>;
	scratch: Pick<Scratch, 'removeAbandoned'>;
	/** Those that are sent in several requests. */
	uploads: { removeExpired(): Promise<number> };
	log: Log;
	/** What else one process of all does every hour. */
	upkeep?: () => Promise<unknown>;
	everyMs?: number;
	/** Younger blobs may be on their way to a row. */
	minAgeMs?: number;
};

export type Swept = {
	/** Their bytes are gone. */
	lostFiles: number;
	/** They had no job and have one again. */
	strandedFiles: number;
	orphanBlobs: number;
	/** Nobody continued them in time. */
	expiredUploads: number;
	scratchFolders: number;
};

export type Sweeper = ReturnType<typeof createSweeper>;

export function createSweeper(deps: SweeperDeps) {
	const { log, upkeep = async () => undefined, everyMs = 3_600_000 } = deps;
	let timer: NodeJS.Timeout | undefined;
	let sweeping: Promise<void> = Promise.resolve();
	let stopping = new AbortController();

	async function sweep(): Promise<Swept> {
		const swept = {
			lostFiles: await markLost(deps, stopping.signal),
			strandedFiles: await queueStranded(deps),
			orphanBlobs: await removeOrphans(deps, stopping.signal),
			expiredUploads: await deps.uploads.removeExpired(),
			scratchFolders: await deps.scratch.removeAbandoned()
		};
		if (swept.lostFiles > 0)
			log.error(swept, 'the storage lacks the bytes of some files; their owners are told');
		else if (swept.orphanBlobs > 0 || swept.strandedFiles > 0)
			log.warn(swept, 'left behind by a crash, and mended');
		return swept;
	}

	function sweepNow(): void {
		sweeping = Promise.all([sweep(), upkeep()]).then(
			() => undefined,
			(error: unknown) => log.error({ err: error }, 'the sweep failed')
		);
	}

	return {
		sweep,
		start(): void {
			stopping = new AbortController();
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

async function markLost({ db, blobs, files }: SweeperDeps, signal: AbortSignal): Promise<number> {
	let marked = 0;
	for await (const id of findLost(db, blobs, signal)) marked += await files.markLost([id]);
	return marked;
}

async function queueStranded({ db, files, queue }: SweeperDeps): Promise<number> {
	const stranded = await findStranded(db, queue);
	for (const { id, sizeBytes } of stranded) await files.queueAgain({ fileId: id, sizeBytes });
	return stranded.length;
}

async function removeOrphans(
	{ db, blobs, minAgeMs = 600_000 }: SweeperDeps,
	signal: AbortSignal
): Promise<number> {
	let removed = 0;
	for await (const key of findOrphans(db, blobs, { minAgeMs, signal })) {
		await blobs.remove([key]);
		removed++;
	}
	return removed;
}
