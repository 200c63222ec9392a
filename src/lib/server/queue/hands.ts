// The jobs that this process has in hand, so that they can be stopped from outside.
import { setTimeout as delay } from 'node:timers/promises';

export type Reason = 'cancelled' | 'stopping';

type Held = { fileId: string; attempt: number };
type Hand = Held & { controller: AbortController; ended: Promise<unknown> };

export type Hands = ReturnType<typeof createHands>;

export function createHands() {
	const hands = new Set<Hand>();
	const stop = (which: (hand: Hand) => boolean, reason: Reason) => {
		const stopped = [...hands].filter(which);
		for (const { controller } of stopped) controller.abort(new Stopped(reason));
		return stopped;
	};

	return {
		get count() {
			return hands.size;
		},

		/** Runs `work` with a signal that `cancel` and `stopAll` abort, beside the one it is given. */
		async hold<T>(held: Held, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
			const controller = new AbortController();
			const { promise, resolve } = Promise.withResolvers<void>();
			const { fileId, attempt } = held;
			const hand: Hand = { fileId, attempt, controller, ended: promise };
			hands.add(hand);
			try {
				return await work(AbortSignal.any([controller.signal, outer]));
			} finally {
				hands.delete(hand);
				resolve();
			}
		},

		/** Attempts from `before` on are somebody's who came later. Waits until the work has ended, at most `graceMs`. */
		async cancel(fileId: string, before: number, graceMs: number): Promise<void> {
			await settled(
				stop((hand) => hand.fileId === fileId && hand.attempt < before, 'cancelled'),
				graceMs
			);
		},

		async stopAll(graceMs: number): Promise<void> {
			await settled(
				stop(() => true, 'stopping'),
				graceMs
			);
		}
	};
}

export class Stopped extends Error {
	override readonly name = 'Stopped';
	readonly reason: Reason;

	constructor(reason: Reason) {
		super(`The work was ended: ${reason}.`);
		this.reason = reason;
	}
}

async function settled(stopped: Hand[], graceMs: number): Promise<void> {
	if (stopped.length === 0) return;
	const waiting = new AbortController();
	const grace = delay(graceMs, undefined, { signal: waiting.signal }).catch(() => undefined);
	await Promise.race([Promise.all(stopped.map(({ ended }) => ended)), grace]);
	waiting.abort();
}
