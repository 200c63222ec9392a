// What happens by the clock while anybody is connected: heartbeats, readers who have not read for too long, and
// sessions that ended elsewhere.
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Hub } from './hub.ts';

const tickMs = 250;
const sessionCheckMs = 4000;

export type PulseOptions = {
	hub: Hub;
	heartbeatSeconds: number;
	log: Log;
	askDigest(userId: string): void;
	/** Those of the sessions that go on. */
	isAlive(sessionIds: readonly string[]): Promise<ReadonlySet<string>>;
};

export class Pulse {
	readonly #options: PulseOptions;
	readonly #nextBeatAt = new Map<string, number>();
	#timer: NodeJS.Timeout | undefined;
	#isChecking = false;
	#nextCheckAt = 0;

	constructor(options: PulseOptions) {
		this.#options = options;
	}

	add(userId: string): void {
		// Spread: people who came back together after a restart need not be served together for ever.
		const firstBeatMs = this.#options.heartbeatSeconds * 1000 * (0.5 + Math.random() / 2);
		this.#nextBeatAt.set(userId, performance.now() + firstBeatMs);
		this.#timer ??= setInterval(() => this.#tick(performance.now()), tickMs);
	}

	remove(userId: string): void {
		this.#nextBeatAt.delete(userId);
		if (this.#nextBeatAt.size > 0) return;
		clearInterval(this.#timer);
		this.#timer = undefined;
	}

	#tick(now: number): void {
		const { hub, heartbeatSeconds, askDigest } = this.#options;
		for (const [userId, dueAt] of this.#nextBeatAt) {
			if (now < dueAt) continue;
			askDigest(userId);
			this.#nextBeatAt.set(userId, Math.max(dueAt, now - 1000) + heartbeatSeconds * 1000);
		}
		for (const listener of hub.listeners()) listener.tend(now);
		if (now < this.#nextCheckAt) return;
		this.#nextCheckAt = now + sessionCheckMs;
		void this.#checkSessions();
	}

	/** The process that ended a session tells its own streams at once; the others find out here. */
	async #checkSessions(): Promise<void> {
		if (this.#isChecking) return;
		this.#isChecking = true;
		const { hub, isAlive, log } = this.#options;
		try {
			const asked = new Set([...hub.listeners()].map(({ sessionId }) => sessionId));
			const alive = await isAlive([...asked]);
			hub.end('signed_out', ({ sessionId }) => asked.has(sessionId) && !alive.has(sessionId));
		} catch (error) {
			log.warn({ err: error }, `sessions could not be checked: ${messageOf(error)}`);
		} finally {
			this.#isChecking = false;
		}
	}
}
