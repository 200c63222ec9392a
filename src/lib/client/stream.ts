// A live stream of the signed-in person's files that stays: it continues where it was cut off, notices silence, waits
// longer after each failure, and falls back to polling where a proxy holds the events back. No framework in it:
//
//     const stream = new Stream({ onMessage: (message, cursor) => … merge(state, message) …, onConnection: … });
//     stream.start();  …  stream.refetch();  …  stream.close();
//
// Beside the files: `events: ['notification', 'export-ready'], onEvent: ({ eventType, id, data }) => …`.
// Every message comes with the cursor from which a later stream can continue (`new Stream({ cursor, … })`).
import type { ByeReason, NamedEvent, StreamMessage } from '#lib/shared/events.ts';
import { backoffMs } from './backoff.ts';
import { browserOutside, type Outside } from './outside.ts';
import { Timers } from './timers.ts';
import { openEvents, startPolling } from './transports.ts';

export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'signed-out' | 'closed';
export type Connection = {
	state: ConnectionState;
	/** While reconnecting: when the next attempt begins, in milliseconds since 1970. */
	retryAt: number | null;
};

export type StreamOptions = {
	onMessage(message: StreamMessage, cursor: string | undefined): void;
	onConnection?(connection: Connection): void;
	/** Named events that are listened to beside the files, and what to do with them. */
	events?: readonly string[];
	onEvent?(event: NamedEvent): void;
	/** Continue from here; without it everything comes first. */
	cursor?: string | undefined;
	/** Whose files are meant: the server refuses when somebody else has signed in meanwhile. */
	user?: string;
	url?: string;
	pollUrl?: string;
	outside?: Outside;
};

const firstEventMs = 2000;
/** A connection that lived this long was a good one: the next failure is a first one. */
const steadyMs = 5000;
const firstReturnMs = 5000;
const longestReturnMs = 5 * 60_000;
/** Until the server says its own. */
const usualHeartbeatMs = 30_000;
/** Heartbeats that may be missing before the connection counts as dead. */
const missedBeats = 2.5;

export class Stream {
	/** Frames that were no messages of ours. */
	malformed = 0;
	/** Connections begun, the first one included. */
	opened = 0;
	readonly #options: StreamOptions;
	readonly #outside: Outside;
	readonly #names: readonly string[];
	/** So that the server can tell a connection of ours that is half dead from another one. */
	readonly #client: string;
	readonly #timers = new Timers<'first event' | 'silence' | 'retry' | 'return'>();
	#connection: Connection = { state: 'closed', retryAt: null };
	#cursor: string | undefined;
	#closeEvents: (() => void) | undefined;
	#stopPolling: (() => void) | undefined;
	#attempt = 0;
	#returnMs = firstReturnMs;
	#silenceMs = usualHeartbeatMs * missedBeats;
	#liveSince = 0;
	#heardAt = 0;

	constructor(options: StreamOptions) {
		this.#options = options;
		this.#outside = options.outside ?? browserOutside();
		this.#names = options.events ?? [];
		this.#cursor = options.cursor;
		this.#client = Math.floor(this.#outside.random() * 2 ** 52).toString(36);
	}

	get connection(): Connection {
		return this.#connection;
	}

	get state(): ConnectionState {
		return this.#connection.state;
	}

	get isOpen(): boolean {
		return this.state === 'live' || this.state === 'polling';
	}

	get cursor(): string | undefined {
		return this.#cursor;
	}

	start(): void {
		this.#outside.page.addEventListener('online', this.#onOnline);
		this.#outside.page.addEventListener('offline', this.#onOffline);
		this.#outside.page.addEventListener('visibilitychange', this.#onVisibility);
		this.#show('connecting');
		this.#openEvents();
	}

	close(): void {
		this.#end('closed');
	}

	/** Everything anew, because what is known was found to be wrong. */
	refetch(): void {
		this.#cursor = undefined;
		this.#disconnect();
		this.#openEvents();
	}

	/** A dead line is silent: without this the page would be called live until a heartbeat is missed. */
	readonly #onOffline = (): void => {
		if (this.isOpen) this.#reconnect();
	};

	readonly #onOnline = (): void => {
		if (this.#timers.has('retry')) this.#openEvents();
	};

	readonly #onVisibility = (): void => {
		if (!this.#outside.isVisible()) return;
		if (this.#timers.has('retry')) this.#openEvents();
		// Timers stand still while a computer sleeps.
		else if (this.state === 'live' && Date.now() - this.#heardAt > this.#silenceMs) this.#reconnect();
	};

	#openEvents(): void {
		this.#closeEvents?.();
		this.#timers.stop('retry');
		this.opened += 1;
		this.#closeEvents = openEvents(this.#outside, this.#address(this.#options.url ?? '/api/files/events'), {
			onMessage: (message, cursor) => this.#takeEvent(message, cursor),
			names: this.#names,
			onEvent: (event) => this.#options.onEvent?.(event),
			onMalformed: () => void (this.malformed += 1),
			onError: () => this.#onEventsLost()
		});
		this.#timers.set('first event', firstEventMs, () => this.#onEventsLost());
	}

	#takeEvent(message: StreamMessage, cursor: string | undefined): void {
		this.#timers.stop('first event');
		if (message.eventType === 'connected') this.#silenceMs = message.heartbeatSeconds * 1000 * missedBeats;
		// Whatever arrives proves that events flow, even if the first of them could not be read.
		if (this.state !== 'live') this.#goLive();
		this.#heardAt = Date.now();
		this.#timers.set('silence', this.#silenceMs, () => this.#reconnect());
		this.#cursor = cursor ?? this.#cursor;
		this.#options.onMessage(message, this.#cursor);
		if (message.eventType === 'bye') this.#obey(message.reason);
	}

	#goLive(): void {
		this.#endPolling();
		this.#liveSince = Date.now();
		this.#show('live');
	}

	#obey(reason: ByeReason): void {
		if (reason === 'signed_out' || reason === 'session_expired') this.#end('signed-out');
		// A newer connection of this same page took its place, or there is nothing left to see.
		else if (reason === 'replaced' || reason === 'removed') this.#end('closed');
		else this.#reconnect();
	}

	/** Before the first event nobody can know why: refused, unreachable, or held back on the way. A request tells. */
	#onEventsLost(): void {
		this.#closeEvents?.();
		this.#timers.stop('first event');
		if (this.state === 'live') this.#reconnect();
		else if (this.#stopPolling) this.#planReturn();
		else this.#poll();
	}

	#reconnect(): void {
		this.#disconnect();
		if (this.state === 'live' && Date.now() - this.#liveSince > steadyMs) this.#attempt = 0;
		const waitMs = backoffMs(this.#attempt, this.#outside.random());
		this.#attempt += 1;
		this.#show('reconnecting', Date.now() + waitMs);
		this.#timers.set('retry', waitMs, () => this.#openEvents());
	}

	#poll(): void {
		const urlFor = (wait: number) =>
			this.#address(this.#options.pollUrl ?? '/api/files/changes', { wait: String(wait) });
		this.#stopPolling = startPolling(this.#outside, urlFor, {
			onAnswer: ({ changes, events, cursor }) => {
				if (this.state !== 'polling') this.#planReturn();
				this.#attempt = 0;
				this.#show('polling');
				this.#cursor = cursor;
				for (const message of changes) this.#options.onMessage(message, cursor);
				for (const event of events.filter(({ eventType }) => this.#names.includes(eventType)))
					this.#options.onEvent?.(event);
			},
			onSignedOut: () => this.#end('signed-out'),
			onGone: () => {
				const bye = { eventType: 'bye', timestamp: '', reason: 'removed' } as const;
				this.#options.onMessage(bye, this.#cursor);
				this.#obey(bye.reason);
			},
			onFailed: () => this.#reconnect()
		});
	}

	/** Events are tried again beside the polling, less and less often. */
	#planReturn(): void {
		this.#timers.set('return', this.#returnMs, () => this.#openEvents());
		this.#returnMs = Math.min(longestReturnMs, this.#returnMs * 2);
	}

	#endPolling(): void {
		this.#stopPolling?.();
		this.#stopPolling = undefined;
		this.#timers.stop('return');
		this.#returnMs = firstReturnMs;
	}

	#address(path: string, extra: Record<string, string> = {}): string {
		const query = new URLSearchParams({ client: this.#client, ...extra });
		if (this.#options.user !== undefined) query.set('user', this.#options.user);
		if (this.#cursor !== undefined) query.set('cursor', this.#cursor);
		return `${path}?${query}`;
	}

	#show(state: ConnectionState, retryAt: number | null = null): void {
		if (this.#connection.state === state && this.#connection.retryAt === retryAt) return;
		this.#connection = { state, retryAt };
		this.#options.onConnection?.(this.#connection);
	}

	#end(state: 'signed-out' | 'closed'): void {
		this.#disconnect();
		this.#outside.page.removeEventListener('online', this.#onOnline);
		this.#outside.page.removeEventListener('offline', this.#onOffline);
		this.#outside.page.removeEventListener('visibilitychange', this.#onVisibility);
		this.#show(state);
	}

	#disconnect(): void {
		this.#timers.stopAll();
		this.#closeEvents?.();
		this.#endPolling();
	}
}
