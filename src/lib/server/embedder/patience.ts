// The one retry policy for the provider. Every call ends: with an answer, with "refused" (undefined), or with a code
// after bounded patience.
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, problem } from '#lib/server/errors.ts';
import type { Log } from '#lib/server/log.ts';
import type { Metrics } from '#lib/server/metrics.ts';
import type { EmbedOptions } from './embedder.ts';
import { classify, type Failure, reasonOf } from './failures.ts';
import { createLimiter, waitVisibly } from './limiter.ts';

export const defaults = {
	/** Calls in a row without an answer before the provider counts as unreachable. */
	maxUnreachable: 7,
	/** The same in time, for one that takes calls and never answers; a call that is under way has its own timeout. */
	maxSilentMs: 60_000,
	/** A call without an answer for so long is shown as the wait that it is. */
	quietMs: 15_000,
	maxBadAnswers: 3,
	/** Longest wait for a provider that keeps saying "later". */
	maxLimitedMs: 15 * 60_000,
	firstDelayMs: 500,
	longestDelayMs: 30_000
};
export type Tuning = Partial<typeof defaults>;

type Deps = {
	apiKey: string;
	callTimeoutMs: number;
	metrics: Metrics;
	log: Log;
	tuning?: Tuning | undefined;
};
type History = {
	unreachable: number;
	badAnswers: number;
	limited: number;
	since: number;
	/** When the first of the calls in a row that got no answer was made. */
	silentSince?: number | undefined;
};
type Silence = Pick<EmbedOptions, 'onWait'> & { quietMs: number; callTimeoutMs: number };

export function createPatience({ apiKey, callTimeoutMs, metrics, log, tuning }: Deps) {
	const bounds = { ...defaults, ...tuning };
	const limiter = createLimiter();
	let outage = new AbortController();
	let answeredAt = 0;
	/** Nobody was answered meanwhile: who stands in line behind this call would only repeat its wait. */
	const sendHome = (silentSince: number, error: unknown): void => {
		if (answeredAt > silentSince) return;
		outage.abort(error);
		outage = new AbortController();
	};

	return async <T>(call: () => Promise<T>, options: EmbedOptions): Promise<T | undefined> => {
		const history: History = { unreachable: 0, badAnswers: 0, limited: 0, since: Date.now() };
		const { onWait } = options;
		for (;;) {
			const signal = AbortSignal.any([options.signal, outage.signal]);
			const permit = await limiter.enter({ signal, onWait });
			const calledAt = Date.now();
			let delayMs: number;
			try {
				const answer = await showingSilence(call, { onWait, callTimeoutMs, quietMs: bounds.quietMs });
				answeredAt = Date.now();
				permit.succeeded();
				metrics.providerCalls.inc({ outcome: 'ok' });
				return answer;
			} catch (error) {
				options.signal.throwIfAborted();
				const failure = classify(error);
				metrics.providerCalls.inc({ outcome: failure.kind });
				if (failure.kind === 'unreachable') history.silentSince ??= calledAt;
				else {
					history.silentSince = undefined;
					answeredAt = Date.now();
				}
				if (failure.kind === 'refused') return undefined;
				const reason = reasonOf(error, apiKey);
				const next = nextDelay(failure, history, bounds, reason);
				if (next instanceof AppError) {
					if (failure.kind === 'unreachable') sendHome(history.silentSince ?? calledAt, next);
					throw next;
				}
				delayMs = next;
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

/** How long to wait until the next call, or why there is none. */
function nextDelay(
	failure: Failure,
	history: History,
	bounds: typeof defaults,
	reason: string
): number | AppError {
	// Not the error itself: it could carry the request, and with it the key.
	const give = { cause: new Error(reason), details: { reason } };
	const now = Date.now();
	if (failure.kind === 'limited') {
		const delayMs = failure.retryAfterMs ?? backoff(++history.limited, bounds);
		const isTooLong = now + delayMs - history.since > bounds.maxLimitedMs;
		return isTooLong ? problem('embedding.rate_limited', give) : delayMs;
	}
	if (failure.kind === 'unreachable') {
		history.unreachable++;
		const delayMs = failure.retryAfterMs ?? backoff(history.unreachable, bounds);
		const isTooLong = now + delayMs - (history.silentSince ?? now) > bounds.maxSilentMs;
		return isTooLong || history.unreachable >= bounds.maxUnreachable
			? problem('embedding.unreachable', give)
			: delayMs;
	}
	if (failure.kind === 'bad_answer' && ++history.badAnswers < bounds.maxBadAnswers) return 0;
	return problem('embedding.rejected', give);
}

/** A call that gets no answer is a wait like any other: for how much longer at most is told. */
async function showingSilence<T>(
	call: () => Promise<T>,
	{ onWait, quietMs, callTimeoutMs }: Silence
): Promise<T> {
	const answered = new AbortController();
	const { signal } = answered;
	const silence = sleep(quietMs, undefined, { signal }).then(() =>
		waitVisibly(callTimeoutMs - quietMs, { signal, onWait })
	);
	silence.catch(() => undefined); // ends with the answer
	try {
		return await call();
	} finally {
		answered.abort();
	}
}

/** Doubling, with jitter: those who were refused together do not come back together. */
function backoff(tries: number, { firstDelayMs, longestDelayMs }: typeof defaults): number {
	return Math.min(longestDelayMs, firstDelayMs * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}
