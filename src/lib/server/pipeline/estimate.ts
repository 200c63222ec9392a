/** What a stage skips, because an earlier attempt did it, happens at once and says nothing about the rest. */
const settledMs = 300;
/** Less is no ground for an estimate. */
const trustedMs = 1_500;
const trustedShare = 0.01;
/** The pace is that of the last while, and of no more than twice as long: providers have better and worse minutes. */
const windowMs = 15_000;

export type EstimateOptions = {
	/** How long files like this one took; undefined when nobody knows, or part of it is done already. */
	expectedSeconds?: number | undefined;
	now?: () => number;
};

/**
 * The remaining time: at first from files like this one, then from the pace of the stage that decides when all is done;
 * null while nobody can know it. Not from the percentage: stages that end early make it run ahead of the slowest one.
 */
export function createEstimate({ expectedSeconds, now = () => performance.now() }: EstimateOptions = {}) {
	const startedAt = now();
	const paces = new Map<string, Pace>();

	function expected(at: number): number | null {
		if (expectedSeconds === undefined) return null;
		const left = expectedSeconds - (at - startedAt) / 1000;
		return left > 0 ? Math.ceil(left) : null;
	}

	return {
		secondsLeft(stage: string, share: number): number | null {
			const at = now();
			if (at - startedAt < settledMs) return expected(at);
			const pace = paces.get(stage) ?? createPace({ share, at });
			paces.set(stage, pace);
			return pace.secondsLeft(share, at) ?? expected(at);
		}
	};
}

type Mark = { share: number; at: number };
type Pace = ReturnType<typeof createPace>;

function createPace(first: Mark) {
	let [older, newer] = [first, first];
	return {
		secondsLeft(share: number, at: number): number | undefined {
			if (share >= 1) return undefined;
			if (at - newer.at >= windowMs && share - newer.share >= trustedShare)
				[older, newer] = [newer, { share, at }];
			const gained = share - older.share;
			const tookMs = at - older.at;
			if (gained < trustedShare || tookMs < trustedMs) return undefined;
			return Math.ceil(((1 - share) * tookMs) / gained / 1000);
		}
	};
}
