// Who must hear what: people, and each one's open streams and waiting polls. Framework-free, no database, no timers.
import { limits } from '#lib/shared/limits.ts';
import type { ByeReason, NamedEvent } from '#lib/shared/events.ts';
import { problem } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Change, Digest } from '../files/changes.ts';
import { toUpdate, type Update } from './frames.ts';

/** Somebody who follows one person's files. */
export interface Listener {
	readonly kind: 'stream' | 'poll';
	readonly id: string;
	readonly userId: string;
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
	/** Somebody begins to be followed; resolves when nothing of him is missed any more. */
	onFirst(userId: string): Promise<void>;
	onLast(userId: string): void;
};

type Person = { listeners: Set<Listener>; isFollowed: Promise<void> };

export class Hub {
	readonly #people = new Map<string, Person>();
	readonly #options: HubOptions;

	constructor(options: HubOptions) {
		this.#options = options;
	}

	get userIds(): IterableIterator<string> {
		return this.#people.keys();
	}

	*listeners(userId?: string): Generator<Listener> {
		const people = userId === undefined ? this.#people.values() : [this.#people.get(userId)];
		for (const person of people) yield* person?.listeners ?? [];
	}

	/** Throws when the person has too many already. */
	admit({ userId, kind, client }: Pick<Listener, 'userId' | 'kind' | 'client'>): void {
		const others = [...this.listeners(userId)].filter((one) => one.kind === kind);
		const replaced = client === undefined ? [] : others.filter((one) => one.client === client);
		if (others.length - replaced.length >= limits.streamsPerUser)
			throw problem('stream.too_many', { headers: { 'retry-after': '5' } });
		for (const one of replaced) one.bye('replaced');
	}

	/** From now on the listener hears what is published; resolves when everything will be. */
	add(listener: Listener): Promise<void> {
		const { userId } = listener;
		let person = this.#people.get(userId);
		if (!person) {
			person = { listeners: new Set(), isFollowed: this.#options.onFirst(userId) };
			this.#people.set(userId, person);
		}
		person.listeners.add(listener);
		if (listener.kind === 'stream') this.#options.metrics.streams.inc();
		return person.isFollowed;
	}

	remove(listener: Listener): void {
		const person = this.#people.get(listener.userId);
		if (!person?.listeners.delete(listener)) return;
		if (listener.kind === 'stream') this.#options.metrics.streams.dec();
		if (person.listeners.size > 0) return;
		this.#people.delete(listener.userId);
		this.#options.onLast(listener.userId);
	}

	publish(userId: string, changes: readonly Change[], cursor: string): void {
		const updates = changes.map(toUpdate);
		for (const listener of this.listeners(userId)) listener.publish(updates, cursor);
	}

	beat(userId: string, digest: Digest, cursor: string): void {
		for (const listener of this.listeners(userId)) listener.beat(digest, cursor);
	}

	end(reason: ByeReason, isMeant: (listener: Listener) => boolean = () => true): void {
		for (const listener of this.listeners()) if (isMeant(listener)) listener.bye(reason);
	}
}
