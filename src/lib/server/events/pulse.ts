// What happens by the clock while anybody is connected: heartbeats, readers who have not read for too long, and
// sessions and memberships that ended elsewhere.
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Hub, Listener } from './hub.ts';

const tickMs = 250;
const sessionCheckMs = 4000;

export type PulseOptions = {
	hub: Hub;
	heartbeatSeconds: number;
	log: Log;
	askDigest(scopeId: string): void;
	/** Those of the sessions that go on. */
	isAlive(sessionIds: readonly string[]): Promise<ReadonlySet<string>>;
	/** Those of the people who are no longer members of what they follow. */
	strangers(guests: readonly Listener[]): Promise<Listener[]>;
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

	add(scopeId: string): void {
		// Spread: people who came back together after a restart need not be served together for ever.
		const firstBeatMs = this.#options.heartbeatSeconds * 1000 * (0.5 + Math.random() / 2);
		this.#nextBeatAt.set(scopeId, performance.now() + firstBeatMs);
		this.#timer ??= setInterval(() => this.#tick(performance.now()), tickMs);
	}

	remove(scopeId: string): void {
		this.#nextBeatAt.delete(scopeId);
		if (this.#nextBeatAt.size > 0) return;
		clearInterval(this.#timer);
		this.#timer = undefined;
	}

	#tick(now: number): void {
		const { hub, heartbeatSeconds, askDigest } = this.#options;
		for (const [scopeId, dueAt] of this.#nextBeatAt) {
			if (now < dueAt) continue;
			askDigest(scopeId);
			this.#nextBeatAt.set(scopeId, Math.max(dueAt, now - 1000) + heartbeatSeconds * 1000);
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
		const { hub, isAlive, strangers, log } = this.#options;
		try {
			const asked = new Set([...hub.listeners()].map(({ sessionId }) => sessionId));
			const alive = await isAlive([...asked]);
			hub.end('signed_out', ({ sessionId }) => asked.has(sessionId) && !alive.has(sessionId));
			const guests = [...hub.guests()];
			if (guests.length > 0) for (const stranger of await strangers(guests)) stranger.bye('removed');
		} catch (error) {
			log.warn({ err: error }, `sessions could not be checked: ${messageOf(error)}`);
		} finally {
			this.#isChecking = false;
		}
	}
}
