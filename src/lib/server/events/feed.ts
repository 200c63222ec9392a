// Reads what changed for the people who are followed. The doorbell says whom to read; a poll four times a second makes
// sure that a lost ring costs a moment and nothing else. One read at a time: what it publishes is in order.
//
// `#position` is common to everybody: each change before it has been published to whoever was followed then. Only the
// poll moves it, since only the poll looks at everybody. What is read again until then is known by its rev.
import { messageOf } from '../errors.ts';
import type { Change, Digest, FileChanges, UserChanges } from '../files/changes.ts';
import type { Log } from '../log.ts';

const pollMs = 250;
const retryMs = 1000;
/** A slow database is not asked without a pause, and yet soon enough. */
const longestRestMs = 1000;
const beatsAtOnce = 50;

export type FeedOptions = {
	changes: FileChanges;
	log: Log;
	onChanges(userId: string, changes: readonly Change[], cursor: string): void;
	onDigest(userId: string, digest: Digest, cursor: string): void;
};

type Revs = ReadonlyMap<string, number>;
const noRevs: Revs = new Map();

export class Feed {
	readonly #options: FeedOptions;
	/** The people who are followed, and the revs of their rows at or after the position. */
	readonly #known = new Map<string, Revs>();
	readonly #rung = new Set<string>();
	readonly #beats = new Set<string>();
	#position: Promise<string> | undefined;
	#timer: NodeJS.Timeout | undefined;
	#isRunning = false;
	#pollDueAt = 0;

	constructor(options: FeedOptions) {
		this.#options = options;
	}

	/** Resolves when no change of this person can be missed any more. */
	async follow(userId: string): Promise<void> {
		this.#known.set(userId, noRevs);
		this.#position ??= this.#options.changes.position();
		try {
			await this.#position;
		} catch (error) {
			this.#position = undefined;
			throw error;
		}
		this.#schedule();
	}

	unfollow(userId: string): void {
		for (const set of [this.#known, this.#rung, this.#beats]) set.delete(userId);
		if (this.#known.size > 0) return;
		// Nobody listens: no timer, and a fresh position for whoever comes next.
		this.#position = undefined;
		this.#clearTimer();
	}

	ring(userId: string | undefined): void {
		if (userId === undefined) this.#pollDueAt = 0;
		else if (this.#known.has(userId)) this.#rung.add(userId);
		else return;
		this.#schedule();
	}

	/** Asks for the person's digest, from the same snapshot as the changes published before it. */
	askDigest(userId: string): void {
		if (!this.#known.has(userId)) return;
		this.#beats.add(userId);
		this.#schedule();
	}

	#clearTimer(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	#schedule(): void {
		if (this.#isRunning || this.#known.size === 0) return;
		const isUrgent = this.#rung.size > 0 || this.#beats.size > 0;
		const waitMs = isUrgent ? 0 : Math.max(0, this.#pollDueAt - performance.now());
		this.#clearTimer();
		this.#timer = setTimeout(() => void this.#run(), waitMs);
	}

	async #run(): Promise<void> {
		this.#isRunning = true;
		try {
			const position = await this.#position;
			if (position === undefined) return;
			await this.#readRung(position);
			if (performance.now() >= this.#pollDueAt) await this.#poll(position);
		} catch (error) {
			this.#options.log.warn({ err: error }, `the stream's feed could not be read: ${messageOf(error)}`);
			this.#pollDueAt = performance.now() + retryMs;
		} finally {
			this.#isRunning = false;
			this.#schedule();
		}
	}

	async #readRung(position: string): Promise<void> {
		// Who waits for a change is read before those who wait for a heartbeat: of those there may be thousands, and a few
		// of them at a time keep the next change from waiting for all.
		const rung = this.#takeKnown(this.#rung);
		if (rung.size > 0) await this.#publish(rung.keys(), await this.#options.changes.read(position, rung));
		const beats = this.#takeKnown(this.#beats, beatsAtOnce);
		if (beats.size === 0) return;
		const read = await this.#options.changes.readWithDigests(position, beats);
		const cursor = await this.#publish(beats.keys(), read);
		for (const [userId, digest] of read.digests) this.#options.onDigest(userId, digest, cursor);
	}

	async #poll(position: string): Promise<void> {
		const startedAt = performance.now();
		const { next, userIds } = await this.#options.changes.touched(position);
		const touched = this.#takeKnown(new Set(userIds));
		if (touched.size > 0)
			await this.#publish(touched.keys(), await this.#options.changes.read(position, touched));
		for (const [userId, revs] of this.#known)
			if (revs.size > 0 && !touched.has(userId)) this.#known.set(userId, noRevs);
		if (this.#position) this.#position = Promise.resolve(next);
		const tookMs = performance.now() - startedAt;
		const restMs = Math.max(pollMs - tookMs, Math.min(tookMs, longestRestMs));
		this.#pollDueAt = performance.now() + restMs;
	}

	async #publish(
		userIds: Iterable<string>,
		read: { next: string; users: ReadonlyMap<string, UserChanges> }
	): Promise<string> {
		const cursor = await this.#options.changes.toCursor(read.next);
		for (const userId of userIds) {
			if (!this.#known.has(userId)) continue;
			const { changes, revs } = read.users.get(userId) ?? { changes: [], revs: noRevs };
			this.#known.set(userId, revs);
			if (changes.length > 0) this.#options.onChanges(userId, changes, cursor);
		}
		return cursor;
	}

	/** Takes names off the list; with what is known of each who is still followed. */
	#takeKnown(userIds: Set<string>, atMost = Infinity): Map<string, Revs> {
		const taken = new Map<string, Revs>();
		for (const userId of userIds) {
			if (taken.size === atMost) break;
			userIds.delete(userId);
			const revs = this.#known.get(userId);
			if (revs) taken.set(userId, revs);
		}
		return taken;
	}
}
