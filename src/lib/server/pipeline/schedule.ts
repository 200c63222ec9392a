/** Work of known length done in order by a few at a time. */
export type Turn = { id: string; seconds: number | undefined };

/**
 * When each of `waiting` will be done, in seconds from now. `atWork`: how long each of those in hand still takes. Nobody
 * knows it for one that comes after something unknown, nor when it is unknown itself.
 */
export function finishTimes(
	waiting: readonly Turn[],
	{ atWork, lanes }: { atWork: readonly (number | undefined)[]; lanes: number }
): (number | undefined)[] {
	let isKnown = atWork.every((seconds) => seconds !== undefined);
	const free = Array.from({ length: Math.max(lanes, atWork.length) }, (_, i) => atWork[i] ?? 0);
	return waiting.map(({ seconds }) => {
		if (seconds === undefined) isKnown = false;
		if (!isKnown || seconds === undefined) return undefined;
		const lane = free.indexOf(Math.min(...free));
		const end = (free[lane] ?? 0) + seconds;
		free[lane] = end;
		return Math.ceil(end);
	});
}

export type AtWork = { fileType: string; sizeBytes: number; etaSeconds: number | null; share: number };

/** How long a file takes, by those of its type that are at work; undefined when none of them can tell. */
export function secondsByPeers(
	atWork: readonly AtWork[],
	{ fileType, sizeBytes }: Pick<AtWork, 'fileType' | 'sizeBytes'>
): number | undefined {
	const known = atWork.flatMap((peer) => {
		if (peer.fileType !== fileType || peer.etaSeconds === null || peer.share >= 1) return [];
		return ((peer.etaSeconds / (1 - peer.share)) * sizeBytes) / peer.sizeBytes;
	});
	return known.length > 0 ? known.reduce((sum, one) => sum + one) / known.length : undefined;
}
