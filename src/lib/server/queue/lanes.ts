// Who may run where. Small files come first, and a lane of their own is never taken by a big one, so that a small file
// is not kept waiting; another lane is only for big ones, so that a stream of small files does not starve them.
import type { WorkOptions } from 'pg-boss';

const mebibyte = 1024 ** 2;
/** Between two classes: within one, work that has begun goes before work that has not. */
const step = 10;
const smallFrom = 2 * step;
/** Nobody waits for it. */
export const backgroundPriority = -step;

/** The smaller the file, the higher. */
export function priorityOf(sizeBytes: number): number {
	if (sizeBytes <= mebibyte / 16) return 3 * step;
	if (sizeBytes <= mebibyte) return 2 * step;
	return sizeBytes <= 16 * mebibyte ? step : 0;
}

/** Before every other one of its kind: no big file takes the place that is kept for small ones. */
export function firstPriority(sizeBytes: number): number {
	return priorityOf(sizeBytes) >= smallFrom ? smallFrom + 2 * step - 1 : smallFrom - 1;
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
