// The one retry policy for the provider. Every call ends: with an answer, with "refused" (undefined), or with a code
// after bounded patience.
import { problem } from '#lib/server/errors.ts';
import type { Log } from '#lib/server/log.ts';
import type { Metrics } from '#lib/server/metrics.ts';
import type { EmbedOptions } from './embedder.ts';
import { classify, type Failure, reasonOf } from './failures.ts';
import { createLimiter, waitVisibly } from './limiter.ts';

export const defaults = {
	/** Calls in a row without an answer before the provider counts as unreachable. */
	maxUnreachable: 7,
	maxBadAnswers: 3,
	/** Longest wait for a provider that keeps saying "later". */
	maxLimitedMs: 15 * 60_000,
	firstDelayMs: 500,
	longestDelayMs: 30_000
};
export type Tuning = Partial<typeof defaults>;

type Deps = { apiKey: string; metrics: Metrics; log: Log; tuning?: Tuning };
type History = { unreachable: number; badAnswers: number; limited: number; since: number };

export function createPatience({ apiKey, metrics, log, tuning }: Deps) {
	const bounds = { ...defaults, ...tuning };
	const limiter = createLimiter();

	return async <T>(call: () => Promise<T>, options: EmbedOptions): Promise<T | undefined> => {
		const history: History = { unreachable: 0, badAnswers: 0, limited: 0, since: Date.now() };
		for (;;) {
			const permit = await limiter.enter(options);
			let delayMs: number;
			try {
				const answer = await call();
				permit.succeeded();
				metrics.providerCalls.inc({ outcome: 'ok' });
				return answer;
			} catch (error) {
				options.signal.throwIfAborted();
				const failure = classify(error);
				metrics.providerCalls.inc({ outcome: failure.kind });
				if (failure.kind === 'refused') return undefined;
				const reason = reasonOf(error, apiKey);
				delayMs = nextDelay(failure, history, bounds, reason);
				log.info(
					{ outcome: failure.kind, delayMs: Math.round(delayMs), reason },
					'the provider gave no answer'
				);
				if (failure.kind === 'bad_answer') continue;
				// "Later" is meant for all of us; trouble on the way is this call's own.
				permit.refused(failure.kind === 'limited' ? delayMs : 0);
				if (failure.kind === 'limited') delayMs = 0;
			} finally {
				permit.release();
			}
			await waitVisibly(delayMs, options);
		}
	};
}

function nextDelay(failure: Failure, history: History, bounds: typeof defaults, reason: string): number {
	// Not the error itself: it could carry the request, and with it the key.
	const give = { cause: new Error(reason), details: { reason } };
	if (failure.kind === 'limited') {
		const delayMs = failure.retryAfterMs ?? backoff(++history.limited, bounds);
		if (Date.now() + delayMs - history.since > bounds.maxLimitedMs)
			throw problem('embedding.rate_limited', give);
		return delayMs;
	}
	if (failure.kind === 'unreachable') {
		if (++history.unreachable >= bounds.maxUnreachable) throw problem('embedding.unreachable', give);
		return failure.retryAfterMs ?? backoff(history.unreachable, bounds);
	}
	if (failure.kind === 'bad_answer' && ++history.badAnswers < bounds.maxBadAnswers) return 0;
	throw problem('embedding.rejected', give);
}

/** Doubling, with jitter: those who were refused together do not come back together. */
function backoff(tries: number, { firstDelayMs, longestDelayMs }: typeof defaults): number {
	return Math.min(longestDelayMs, firstDelayMs * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}
