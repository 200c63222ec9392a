/** What a stage skips, because an earlier attempt did it, happens at once and says nothing about the rest. */
const settledMs = 300;
/** Less is no ground for an estimate. */
const trustedMs = 1_500;
const trustedPercent = 3;

/** The remaining time, from how fast the percentage grew so far; null as long as nobody can know it. */
export function createEstimate(now: () => number = () => performance.now()) {
	const startedAt = now();
	let base: { percent: number; at: number } | undefined;
	return {
		secondsLeft(percent: number): number | null {
			const at = now();
			if (at - startedAt < settledMs) return null;
			base ??= { percent, at };
			const gained = percent - base.percent;
			const tookMs = at - base.at;
			if (gained < trustedPercent || tookMs < trustedMs) return null;
			return Math.ceil(((100 - percent) * tookMs) / gained / 1000);
		}
	};
}
