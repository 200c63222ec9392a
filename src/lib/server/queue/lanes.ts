// Who may run where. Small files come first, and a lane of their own is never taken by a big one, so that a small file
// is not kept waiting; another lane is only for big ones, so that a stream of small files does not starve them.
import type { WorkOptions } from 'pg-boss';
import type { Job } from '../files/job.ts';

const mebibyte = 1024 ** 2;
/** Between two classes of size. Inside one: up to ten places for fairness, above them the same for what has begun. */
const step = 20;
const places = 10;
const classes = 2 * step;
/** Far apart: between the classes of each kind and this is room for every file that is wanted next. */
const smallFrom = 1_000_000;
const highest = 2 * smallFrom;
/** Nobody waits for it. */
const background = -step;

export type Rank = {
	kind?: Job['kind'];
	sizeBytes: number;
	/** How many files of the same person wait already: a thousand files of one must not keep everybody else waiting. */
	backlog?: number;
	hasBegun?: boolean;
};

/** The smaller the file, the higher. */
export function priorityOf({ kind, sizeBytes, backlog = 0, hasBegun = false }: Rank): number {
	if (kind === 'vectors') return background;
	const fairness = Math.max(0, places - 1 - Math.floor(Math.log2(1 + backlog)));
	return classOf(sizeBytes) + fairness + (hasBegun ? places : 0);
}

/**
 * Where a file that is wanted next may stand: before every other one of its kind, also those that were wanted next before
 * it; but no big file takes the place that is kept for small ones.
 */
export function firstPlaces(sizeBytes: number): { lowest: number; below: number } {
	return isSmall(sizeBytes)
		? { lowest: smallFrom + classes, below: highest }
		: { lowest: classes, below: smallFrom };
}

function classOf(sizeBytes: number): number {
	if (isSmall(sizeBytes)) return smallFrom + (sizeBytes <= mebibyte / 16 ? step : 0);
	return sizeBytes <= 16 * mebibyte ? step : 0;
}

function isSmall(sizeBytes: number): boolean {
	return sizeBytes <= mebibyte;
}

/**
 * `concurrency` lanes that take big files, one more that only small ones may use, and one for what nobody waits for,
 * which is then never in anybody's way.
 */
export function lanesFor(concurrency: number): Pick<WorkOptions, 'minPriority' | 'maxPriority'>[] {
	const onlySmall = { minPriority: smallFrom };
	const onlyBig = { minPriority: 0, maxPriority: smallFrom - 1 };
	const others = Array.from({ length: concurrency - 1 }, () => ({ minPriority: 0 }));
	return [onlySmall, onlyBig, ...others, { maxPriority: -1 }];
}
