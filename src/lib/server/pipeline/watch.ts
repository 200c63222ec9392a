// Looks after the tasks that run: one that is silent for longer than its patience, is at work for longer than its
// budget, or holds more memory than it may, is killed. One timer for all, and none while nothing runs.
import type { Worker } from 'node:worker_threads';
import { problem } from '#lib/server/errors.ts';

const intervalMs = 200;
const mb = 1024 ** 2;
const tooLong = 'A step took far longer than a file of this size may take.';

export type Watched = {
	/** Time counts from here: before it the task stood in the queue or its thread was starting. */
	start(threadId: number): void;
	sawProgress(): void;
	/** While the reader is the slow one, neither silence nor time is the worker's fault. */
	pause(): void;
	resume(): void;
	remove(): void;
};

type Limits = {
	patienceMs: number;
	budgetMs: number;
	kill: (reason: unknown) => void;
	owner?: string | undefined;
};

type Entry = Limits & {
	threadId: number | undefined;
	lastProgress: number;
	spentMs: number;
	isPaused: boolean;
	bytes: number;
};

export type WatchOptions = {
	taskMb: number;
	processMb: number;
	findWorker: (threadId: number) => Worker | undefined;
};

export function createWatch({ taskMb, processMb, findWorker }: WatchOptions) {
	const entries = new Set<Entry>();
	let timer: NodeJS.Timeout | undefined;
	let rssBefore = 0;
	let isLooking = false;
	let lastLook = 0;

	const look = async (): Promise<void> => {
		if (isLooking) return;
		isLooking = true;
		try {
			const elapsedMs = Date.now() - lastLook;
			lastLook = Date.now();
			for (const entry of entries) checkTime(entry, elapsedMs);
			await Promise.all([...entries].map((entry) => weigh(entry, findWorker)));
			for (const entry of entries) if (entry.bytes > taskMb * mb) entry.kill(problem('stage.out_of_memory'));
			if (process.memoryUsage.rss() - rssBefore > processMb * mb)
				heaviest(entries)?.kill(problem('stage.out_of_memory'));
		} finally {
			isLooking = false;
		}
	};
	const begin = (): void => {
		if (timer) return;
		rssBefore = process.memoryUsage.rss();
		lastLook = Date.now();
		timer = setInterval(() => void look(), intervalMs).unref();
	};
	const end = (): void => {
		clearInterval(timer);
		timer = undefined;
	};

	return {
		add(limits: Limits): Watched {
			const entry: Entry = {
				...limits,
				threadId: undefined,
				lastProgress: Date.now(),
				spentMs: 0,
				isPaused: false,
				bytes: 0
			};
			entries.add(entry);
			begin();
			return {
				start: (threadId) => void (entry.threadId = threadId),
				sawProgress: () => void (entry.lastProgress = Date.now()),
				pause: () => void (entry.isPaused = true),
				resume() {
					entry.isPaused = false;
					entry.lastProgress = Date.now();
				},
				remove() {
					entries.delete(entry);
					if (entries.size === 0) end();
				}
			};
		},
		/** Ends one task that is at work for this owner, as a crash of its thread does; false when there is none. */
		crash(owner: string): boolean {
			const entry = [...entries].find((one) => one.owner === owner && one.threadId !== undefined);
			entry?.kill(problem('stage.crashed', { details: { reason: 'The worker was ended on request.' } }));
			return entry !== undefined;
		},
		close: end
	};
}

function checkTime(entry: Entry, elapsedMs: number): void {
	if (entry.threadId === undefined || entry.isPaused) return;
	if (Date.now() - entry.lastProgress > entry.patienceMs) entry.kill(problem('stage.timed_out'));
	entry.spentMs += elapsedMs;
	if (entry.spentMs > entry.budgetMs) entry.kill(problem('stage.timed_out', { message: tooLong }));
}

/** The thread answers between two instructions, even in an endless loop; while it is in native code, the old weight stays. */
async function weigh(entry: Entry, findWorker: WatchOptions['findWorker']): Promise<void> {
	const worker = entry.threadId === undefined ? undefined : findWorker(entry.threadId);
	if (!worker) return;
	const answer = worker.getHeapStatistics().then(
		(heap) => void (entry.bytes = heap.used_heap_size + heap.external_memory),
		() => undefined // the thread has ended: its task hears that by itself
	);
	await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, intervalMs).unref())]);
}

function heaviest(entries: ReadonlySet<Entry>): Entry | undefined {
	return [...entries].filter((entry) => entry.threadId !== undefined).sort((a, b) => b.bytes - a.bytes)[0];
}
