// The person's files as the page sees them, kept current by the live stream. It changes only through merge().
//
//     const files = new Files({ scope: userId });  files.start();  …  files.close();
import { type FilesState, type NamedEvent, noFiles, type StreamMessage } from '#lib/shared/events.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import { Live } from './live.ts';
import type { Outside } from './outside.ts';
import type { Connection, ConnectionState } from './stream.ts';

export type { ConnectionState } from './stream.ts';

export type FilesOptions = {
	/** The person's id: tabs of different people have nothing to do with each other. */
	scope: string;
	/** A project of theirs, instead of their own files. */
	project?: string | undefined;
	/** Each message of the stream, in every tab. */
	onMessage?: ((message: StreamMessage) => void) | undefined;
	/** Notifications and the like, each once in every tab. */
	onEvent?: (event: NamedEvent) => void;
	outside?: Outside;
};

export class Files {
	readonly #live: Live;
	#merged = $state.raw<FilesState>(noFiles);
	#list = $derived([...this.#merged.byId.values()].sort(newestFirst));
	#connection = $state.raw<Connection>({ state: 'connecting', retryAt: null });
	#retryInSeconds = $state<number | null>(null);
	#countdown: ReturnType<typeof setInterval> | undefined;

	constructor({ scope, project, onMessage, onEvent, outside }: FilesOptions) {
		this.#live = new Live({
			scope,
			project,
			...(onMessage && { onMessage }),
			outside,
			onEvent,
			onFiles: (files) => void (this.#merged = files),
			onConnection: (connection) => this.#show(connection)
		});
	}

	/** Newest first. */
	get list(): readonly StoredFile[] {
		return this.#list;
	}

	/** Until the first snapshot has arrived, an empty list says nothing. */
	get isLoaded(): boolean {
		return this.#merged.isLoaded;
	}

	get state(): ConnectionState {
		return this.#connection.state;
	}

	/** While reconnecting: seconds until the next attempt. */
	get retryInSeconds(): number | null {
		return this.#retryInSeconds;
	}

	get(id: string): StoredFile | undefined {
		return this.#merged.byId.get(id);
	}

	/** For answers of the API (an upload, a retry, a delete), so that the page need not wait for the stream. */
	apply(message: StreamMessage): void {
		this.#live.apply(message);
	}

	/** In a browser only. */
	start(): void {
		this.#live.start();
	}

	close(): void {
		this.#live.close();
	}

	#show(connection: Connection): void {
		clearInterval(this.#countdown);
		this.#connection = connection;
		const { retryAt } = connection;
		this.#retryInSeconds = secondsUntil(retryAt);
		if (retryAt === null) return;
		this.#countdown = setInterval(() => (this.#retryInSeconds = secondsUntil(retryAt)), 250);
	}
}

function secondsUntil(at: number | null): number | null {
	return at === null ? null : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

function newestFirst(a: StoredFile, b: StoredFile): number {
	if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
	return a.id < b.id ? 1 : -1;
}
