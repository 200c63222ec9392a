// What one tab knows of the person's files, kept true by all tabs together: the leading tab has the stream and hands
// each message on; a tab that joins, or finds itself wrong, asks the leader for all it knows. The heartbeat's digest
// proves that a tab is in sync, or makes it fetch everything once more. No framework in here: see files.svelte.ts.
import {
	digestOf,
	type FilesState,
	merge,
	type NamedEvent,
	noFiles,
	type StreamMessage
} from '#lib/shared/events.ts';
import { knownEvents } from '#lib/shared/named-events.ts';
import { browserOutside, type Outside } from './outside.ts';
import { type Connection, Stream } from './stream.ts';
import { confirmSeen } from './seen.ts';
import { Tabs } from './tabs.ts';
import { Timers } from './timers.ts';

export type LiveOptions = {
	/** Whose files: tabs of different people have nothing to do with each other. */
	scope: string;
	/** A project of theirs, instead of their own files. */
	project?: string | undefined;
	/** Each message, in every tab. */
	onMessage?(message: StreamMessage): void;
	onFiles(files: FilesState): void;
	onConnection(connection: Connection): void;
	/** Named events beside the files, each once in every tab. */
	events?: readonly string[];
	onEvent?(event: NamedEvent): void;
	outside?: Outside;
};

/** What tabs say to each other; all of them run the same code of the same origin. */
type Word =
	| { kind: 'hello' }
	| { kind: 'state'; files: FilesState; cursor: string | undefined; connection: Connection }
	| { kind: 'message'; message: StreamMessage; cursor: string | undefined }
	| { kind: 'event'; event: NamedEvent }
	| { kind: 'connection'; connection: Connection };

/** Signs of life that a leader may miss: a browser lets the timers of a hidden tab run once a minute. */
const missedSigns = 4;
const version = 1;

/** Tabs that are older than a deploy speak among themselves. */
export function connectionName(scope: string): string {
	return `asura-live-${version}-${scope}`;
}

export class Live {
	readonly #options: LiveOptions;
	#outside: Outside | undefined;
	readonly #timers = new Timers<'leader' | 'sign of life'>();
	#files = noFiles;
	#cursor: string | undefined;
	#heartbeatMs = 30_000;
	#wasTold = false;
	readonly #seen = new Set<string>();
	#tabs: Tabs | undefined;
	#stream: Stream | undefined;

	constructor(options: LiveOptions) {
		this.#options = options;
	}

	/** Undefined in a tab that follows another one. */
	get stream(): Stream | undefined {
		return this.#stream;
	}

	start(): void {
		if (this.#tabs) return;
		// Not earlier: the page is rendered on the server first, where there is nothing of it.
		const { scope, project } = this.#options;
		const outside = (this.#outside ??= this.#options.outside ?? browserOutside());
		this.#tabs = new Tabs({
			name: connectionName(project === undefined ? scope : `${scope}-${project}`),
			outside,
			onLead: () => this.#lead(outside),
			onDeposed: () => this.#follow(),
			onMessage: (word) => this.#hear(word as Word)
		});
		outside.page.addEventListener('pagehide', this.#onHide);
		this.#tell({ kind: 'hello' });
		this.#watchLeader();
		this.#tabs.join();
	}

	close(): void {
		this.#outside?.page.removeEventListener('pagehide', this.#onHide);
		this.#outside?.page.removeEventListener('pageshow', this.#onShow);
		this.#leave();
		this.#show({ state: 'closed', retryAt: null });
	}

	/** What an answer of the API tells before the stream does. */
	apply(message: StreamMessage): void {
		this.#wasTold = true;
		this.#take(message);
	}

	/** A page that goes away, perhaps to come back, must not keep the others waiting. */
	readonly #onHide = (): void => {
		this.#outside?.page.addEventListener('pageshow', this.#onShow);
		this.#leave();
	};

	readonly #onShow = (): void => {
		this.#outside?.page.removeEventListener('pageshow', this.#onShow);
		this.start();
	};

	#leave(): void {
		this.#dropStream();
		this.#tabs?.close();
		this.#tabs = undefined;
	}

	#lead(outside: Outside): void {
		this.#timers.stopAll();
		const isWhole = this.#files.isLoaded && !this.#files.unconfirmed;
		const { project } = this.#options;
		const at = project && `/api/projects/${project}`;
		this.#stream = new Stream({
			user: this.#options.scope,
			...(at && { url: `${at}/events`, pollUrl: `${at}/changes` }),
			outside,
			cursor: isWhole ? this.#cursor : undefined,
			onMessage: (message, cursor) => {
				this.#tell({ kind: 'message', message, cursor });
				this.#takeFromStream(message, cursor, () => this.#stream?.refetch());
			},
			events: this.#options.events ?? knownEvents,
			onEvent: (event) => {
				this.#tell({ kind: 'event', event });
				this.#takeEvent(event);
				if (event.kept) confirmSeen(outside, event.id);
			},
			onConnection: (connection) => {
				if (!this.#stream) return;
				this.#tell({ kind: 'connection', connection });
				this.#show(connection);
			}
		});
		this.#stream.start();
		this.#showLife();
	}

	#follow(): void {
		this.#dropStream();
		this.#watchLeader();
	}

	/** The next leader speaks of the connection from now on. */
	#dropStream(): void {
		this.#timers.stopAll();
		const stream = this.#stream;
		this.#stream = undefined;
		stream?.close();
	}

	#hear(word: Word): void {
		if (word.kind === 'hello') return this.#tellState();
		if (this.#stream) return;
		this.#watchLeader();
		if (word.kind === 'connection') return this.#show(word.connection);
		if (word.kind === 'event') return this.#takeEvent(word.event);
		if (word.kind === 'message') {
			const ask = () => this.#tell({ kind: 'hello' });
			return this.#takeFromStream(word.message, word.cursor, ask);
		}
		this.#cursor = word.cursor;
		this.#show(word.connection);
		if (word.files.isLoaded || word.files.unconfirmed) this.#replace(word.files);
	}

	#tellState(): void {
		if (!this.#stream) return;
		const { connection } = this.#stream;
		this.#tell({ kind: 'state', files: this.#files, cursor: this.#cursor, connection });
	}

	#takeFromStream(message: StreamMessage, cursor: string | undefined, refetch: () => void): void {
		this.#cursor = cursor;
		if (message.eventType === 'connected') this.#heartbeatMs = message.heartbeatSeconds * 1000;
		this.#take(message);
		this.#options.onMessage?.(message);
		if (message.eventType === 'heartbeat' && !this.#agrees(message.digest)) refetch();
	}

	/** An answer of the API can be newer than the heartbeat on its way; the next heartbeat judges then. */
	#agrees(digest: string): boolean {
		const isUnsure = this.#wasTold || this.#files.unconfirmed !== undefined;
		this.#wasTold = false;
		return isUnsure || digestOf(this.#files.byId.values()) === digest;
	}

	/** A kept notification comes again on each connection until the server knows that it was seen. */
	#takeEvent(event: NamedEvent): void {
		if (this.#seen.has(event.id)) return;
		if (event.kept) this.#seen.add(event.id);
		this.#options.onEvent?.(event);
	}

	#take(message: StreamMessage): void {
		this.#replace(merge(this.#files, message));
	}

	#replace(files: FilesState): void {
		if (files === this.#files) return;
		this.#files = files;
		this.#options.onFiles(files);
	}

	#show(connection: Connection): void {
		this.#options.onConnection(connection);
	}

	#showLife(): void {
		this.#timers.set('sign of life', this.#heartbeatMs, () => {
			if (this.#stream) this.#tell({ kind: 'connection', connection: this.#stream.connection });
			this.#showLife();
		});
	}

	#watchLeader(): void {
		this.#timers.set('leader', this.#heartbeatMs * missedSigns, () => {
			this.#watchLeader();
			this.#tabs?.seize();
		});
	}

	#tell(word: Word): void {
		this.#tabs?.post(word);
	}
}
