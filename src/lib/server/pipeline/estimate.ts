/** What a stage skips, because an earlier attempt did it, happens at once and says nothing about the rest. */
const settledMs = 300;
/** Less is no ground for an estimate. */
const trustedMs = 1_500;
const trustedPercent = 3;

export type EstimateOptions = {
	/** How long files like this one took; undefined when nobody knows, or part of it is done already. */
	expectedSeconds?: number | undefined;
	now?: () => number;
};

/** The remaining time: at first from files like this one, then from how fast the percentage grew; null while nobody can know it. */
export function createEstimate({ expectedSeconds, now = () => performance.now() }: EstimateOptions = {}) {
	const startedAt = now();
	let base: { percent: number; at: number } | undefined;

	function expected(at: number): number | null {
		if (expectedSeconds === undefined) return null;
		const left = expectedSeconds - (at - startedAt) / 1000;
		return left > 0 ? Math.ceil(left) : null;
	}

	return {
		secondsLeft(percent: number): number | null {
			const at = now();
			if (at - startedAt < settledMs) return expected(at);
			base ??= { percent, at };
			const gained = percent - base.percent;
			const tookMs = at - base.at;
			if (gained < trustedPercent || tookMs < trustedMs) return expected(at);
			return Math.ceil(((100 - percent) * tookMs) / gained / 1000);
		}
	};
}
