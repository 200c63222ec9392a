// Who must hear what: scopes (a person's own files, a project's), and each one's open streams and waiting polls.
// Framework-free, no database, no timers.
import { limits } from '#lib/shared/limits.ts';
import type { ByeReason, NamedEvent } from '#lib/shared/events.ts';
import { problem } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Change, Digest } from '../files/changes.ts';
import type { Scope } from '../files/reach.ts';
import { toUpdate, type Update } from './frames.ts';

/** Somebody who follows the files of one scope. */
export interface Listener {
	readonly kind: 'stream' | 'poll';
	readonly id: string;
	/** Who listens. */
	readonly userId: string;
	readonly scope: Scope;
	readonly sessionId: string;
	/** The browser's own name for its connection: a new one with the same name takes the place of the old. */
	readonly client: string | undefined;
	/** Everything before `cursor` is contained in what was published so far. */
	publish(updates: readonly Update[], cursor: string): void;
	beat(digest: Digest, cursor: string): void;
	/** A named event, and the frame it makes. */
	tell(event: NamedEvent, frame: Buffer): void;
	bye(reason: ByeReason): void;
	/** Seen to four times a second. */
	tend(now: number): void;
}

export type HubOptions = {
	metrics: Pick<Metrics, 'streams'>;
	/** A scope begins to be followed; resolves when nothing of it is missed any more. */
	onFirst(scope: Scope): Promise<void>;
	onLast(scopeId: string): void;
};

type Followed = { listeners: Set<Listener>; isFollowed: Promise<void> };

export class Hub {
	readonly #scopes = new Map<string, Followed>();
	/** By person, those who follow a scope that is not their own: few, so the many others need no second index. */
	readonly #guests = new Map<string, Set<Listener>>();
	readonly #options: HubOptions;

	constructor(options: HubOptions) {
		this.#options = options;
	}

	get scopeIds(): IterableIterator<string> {
		return this.#scopes.keys();
	}

	*listeners(): Generator<Listener> {
		for (const { listeners } of this.#scopes.values()) yield* listeners;
	}

	/** One person's, whatever they follow. */
	*listenersOf(userId: string): Generator<Listener> {
		for (const listener of this.#scopes.get(userId)?.listeners ?? [])
			if (listener.userId === userId) yield listener;
		yield* this.#guests.get(userId) ?? [];
	}

	/** Those of people who follow a scope that is not their own. */
	*guests(): Generator<Listener> {
		for (const listeners of this.#guests.values()) yield* listeners;
	}

	/** Throws when the person has too many already. */
	admit({ userId, kind, client }: Pick<Listener, 'userId' | 'kind' | 'client'>): void {
		const others = [...this.listenersOf(userId)].filter((one) => one.kind === kind);
		const replaced = client === undefined ? [] : others.filter((one) => one.client === client);
		if (others.length - replaced.length >= limits.streamsPerUser)
			throw problem('stream.too_many', { headers: { 'retry-after': '5' } });
		for (const one of replaced) one.bye('replaced');
	}

	/** From now on the listener hears what is published; resolves when everything will be. */
	add(listener: Listener): Promise<void> {
		const { scope, userId } = listener;
		let followed = this.#scopes.get(scope.id);
		if (!followed) {
			followed = { listeners: new Set(), isFollowed: this.#options.onFirst(scope) };
			this.#scopes.set(scope.id, followed);
		}
		followed.listeners.add(listener);
		if (scope.id !== userId) this.#guests.set(userId, (this.#guests.get(userId) ?? new Set()).add(listener));
		if (listener.kind === 'stream') this.#options.metrics.streams.inc();
		return followed.isFollowed;
	}

	remove(listener: Listener): void {
		const { scope, userId } = listener;
		const followed = this.#scopes.get(scope.id);
		if (!followed?.listeners.delete(listener)) return;
		const guests = this.#guests.get(userId);
		if (guests?.delete(listener) && guests.size === 0) this.#guests.delete(userId);
		if (listener.kind === 'stream') this.#options.metrics.streams.dec();
		if (followed.listeners.size > 0) return;
		this.#scopes.delete(scope.id);
		this.#options.onLast(scope.id);
	}

	publish(scopeId: string, changes: readonly Change[], cursor: string): void {
		const updates = changes.map(toUpdate);
		for (const listener of this.#in(scopeId)) listener.publish(updates, cursor);
	}

	beat(scopeId: string, digest: Digest, cursor: string): void {
		for (const listener of this.#in(scopeId)) listener.beat(digest, cursor);
	}

	end(reason: ByeReason, isMeant: (listener: Listener) => boolean = () => true): void {
		for (const listener of this.listeners()) if (isMeant(listener)) listener.bye(reason);
	}

	#in(scopeId: string): Iterable<Listener> {
		return this.#scopes.get(scopeId)?.listeners ?? [];
	}
}
