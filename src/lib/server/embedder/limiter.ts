// How many calls may be open at the provider at once, for all jobs of this process together: one more after a row of
// successes, half as many after a refusal (AIMD). A refusal that names a time stops everybody until then.
import { setTimeout as sleep } from 'node:timers/promises';

export type Wait = { signal: AbortSignal; onWait?: ((seconds: number) => void) | undefined };
export type Permit = { succeeded(): void; refused(pauseMs: number): void; release(): void };
export type Limiter = ReturnType<typeof createLimiter>;

export function createLimiter({ start = 4, max = 16 }: { start?: number; max?: number } = {}) {
	let limit = start;
	let active = 0;
	let pausedUntil = 0;
	let lastCut = 0;
	const queue: (() => void)[] = [];

	const wakeNext = (): void => {
		if (active < Math.floor(limit)) queue.shift()?.();
	};
	const permit = (): Permit => {
		const startedAt = performance.now();
		return {
			succeeded() {
				limit = Math.min(max, limit + 1 / limit);
			},
			refused(pauseMs) {
				pausedUntil = Math.max(pausedUntil, performance.now() + pauseMs);
				// Calls that were open together are refused together: that is one sign, not many.
				if (startedAt < lastCut) return;
				lastCut = performance.now();
				limit = Math.max(1, limit / 2);
			},
			release() {
				active--;
				wakeNext();
				wakeNext();
			}
		};
	};
	return {
		get limit() {
			return limit;
		},
		async enter(wait: Wait): Promise<Permit> {
			try {
				for (;;) {
					wait.signal.throwIfAborted();
					const pauseMs = pausedUntil - performance.now();
					if (pauseMs > 0) await waitVisibly(pauseMs, wait);
					else if (active < Math.floor(limit)) {
						active++;
						return permit();
					} else await turn(queue, wait.signal);
				}
			} catch (error) {
				// Who leaves may have been the one whose turn it was: the next must not wait for nobody.
				wakeNext();
				throw error;
			}
		}
	};
}

/** Tells how long it still takes, every second. */
export async function waitVisibly(ms: number, { signal, onWait }: Wait): Promise<void> {
	if (ms <= 0) return;
	const until = performance.now() + ms;
	try {
		for (let left = ms; left > 0; left = until - performance.now()) {
			onWait?.(Math.ceil(left / 1000));
			await sleep(Math.min(left, 1000), undefined, { signal }).catch(() => signal.throwIfAborted());
		}
	} finally {
		onWait?.(0);
	}
}

async function turn(queue: (() => void)[], signal: AbortSignal): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	const leave = (): void => {
		const at = queue.indexOf(resolve);
		if (at >= 0) queue.splice(at, 1);
		resolve();
	};
	queue.push(resolve);
	signal.addEventListener('abort', leave, { once: true });
	await promise;
	signal.removeEventListener('abort', leave);
}
