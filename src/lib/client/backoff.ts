const firstMs = 250;
const longestMs = 10_000;

/** Full jitter: clients that were cut off together do not come back together. */
export function backoffMs(attempt: number, random: number): number {
	return random * Math.min(longestMs, firstMs * 2 ** attempt);
}
