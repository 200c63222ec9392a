// Reads what changed in the scopes that are followed. The doorbell says whose to read; a poll four times a second makes
// sure that a lost ring costs a moment and nothing else. One read at a time: what it publishes is in order.
//
// `#position` is common to everybody: each change before it has been published to whoever was followed then. Only the
// poll moves it, since only the poll looks at everybody. What is read again until then is known by its rev.
import { messageOf } from '../errors.ts';
import type { Change, Digest, FileChanges, ScopeChanges } from '../files/changes.ts';
import type { Scope } from '../files/reach.ts';
import type { Log } from '../log.ts';

const pollMs = 250;
const retryMs = 1000;
/** A slow database is not asked without a pause, and yet soon enough. */
const longestRestMs = 1000;
const beatsAtOnce = 50;

export type FeedOptions = {
	changes: FileChanges;
	log: Log;
	onChanges(scopeId: string, changes: readonly Change[], cursor: string): void;
	onDigest(scopeId: string, digest: Digest, cursor: string): void;
};

type Revs = ReadonlyMap<string, number>;
const noRevs: Revs = new Map();

export class Feed {
	readonly #options: FeedOptions;
	/** The scopes that are followed, and the revs of their rows at or after the position. */
	readonly #known = new Map<string, Revs>();
	/** The bell rings by owner: the projects that are followed, by theirs. */
	readonly #projects = new Map<string, Set<string>>();
	readonly #rung = new Set<string>();
	readonly #beats = new Set<string>();
	#position: Promise<string> | undefined;
	#timer: NodeJS.Timeout | undefined;
	#isRunning = false;
	#pollDueAt = 0;

	constructor(options: FeedOptions) {
		this.#options = options;
	}

	/** Resolves when no change in this scope can be missed any more. */
	async follow({ id, ownerId }: Scope): Promise<void> {
		this.#known.set(id, noRevs);
		if (id !== ownerId) this.#projects.set(ownerId, (this.#projects.get(ownerId) ?? new Set()).add(id));
		this.#position ??= this.#options.changes.position();
		try {
			await this.#position;
		} catch (error) {
			this.#position = undefined;
			throw error;
		}
		this.#schedule();
	}

	unfollow(scopeId: string): void {
		for (const set of [this.#known, this.#rung, this.#beats]) set.delete(scopeId);
		for (const [ownerId, projects] of this.#projects)
			if (projects.delete(scopeId) && projects.size === 0) this.#projects.delete(ownerId);
		if (this.#known.size > 0) return;
		// Nobody listens: no timer, and a fresh position for whoever comes next.
		this.#position = undefined;
		this.#clearTimer();
	}

	ring(userId: string | undefined): void {
		if (userId === undefined) this.#pollDueAt = 0;
		else
			for (const id of [userId, ...(this.#projects.get(userId) ?? [])])
				if (this.#known.has(id)) this.#rung.add(id);
		this.#schedule();
	}

	/** Asks for the scope's digest, from the same snapshot as the changes published before it. */
	askDigest(scopeId: string): void {
		if (!this.#known.has(scopeId)) return;
		this.#beats.add(scopeId);
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
		for (const [scopeId, digest] of read.digests) this.#options.onDigest(scopeId, digest, cursor);
	}

	async #poll(position: string): Promise<void> {
		const startedAt = performance.now();
		const { next, scopeIds } = await this.#options.changes.touched(position);
		const touched = this.#takeKnown(new Set(scopeIds));
		if (touched.size > 0)
			await this.#publish(touched.keys(), await this.#options.changes.read(position, touched));
		for (const [scopeId, revs] of this.#known)
			if (revs.size > 0 && !touched.has(scopeId)) this.#known.set(scopeId, noRevs);
		if (this.#position) this.#position = Promise.resolve(next);
		const tookMs = performance.now() - startedAt;
		const restMs = Math.max(pollMs - tookMs, Math.min(tookMs, longestRestMs));
		this.#pollDueAt = performance.now() + restMs;
	}

	async #publish(
		scopeIds: Iterable<string>,
		read: { next: string; scopes: ReadonlyMap<string, ScopeChanges> }
	): Promise<string> {
		const cursor = await this.#options.changes.toCursor(read.next);
		for (const scopeId of scopeIds) {
			if (!this.#known.has(scopeId)) continue;
			const { changes, revs } = read.scopes.get(scopeId) ?? { changes: [], revs: noRevs };
			this.#known.set(scopeId, revs);
			if (changes.length > 0) this.#options.onChanges(scopeId, changes, cursor);
		}
		return cursor;
	}

	/** Takes ids off the list; with what is known of each that is still followed. */
	#takeKnown(scopeIds: Set<string>, atMost = Infinity): Map<string, Revs> {
		const taken = new Map<string, Revs>();
		for (const scopeId of scopeIds) {
			if (taken.size === atMost) break;
			scopeIds.delete(scopeId);
			const revs = this.#known.get(scopeId);
			if (revs) taken.set(scopeId, revs);
		}
		return taken;
	}
}
