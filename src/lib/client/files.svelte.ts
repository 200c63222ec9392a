// The person's files as the page sees them, kept current by the live stream. It changes only through merge().
//
//     const files = new Files({ scope: userId });  files.start();  …  files.close();
import { merge, noFiles, type FilesState, type StreamMessage } from '#lib/shared/events.ts';
import type { StoredFile } from '#lib/shared/files.ts';

export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'signed-out' | 'closed';

export class Files {
	#merged = $state.raw<FilesState>(noFiles);
	#list = $derived([...this.#merged.byId.values()].sort(newestFirst));
	#state = $state<ConnectionState>('connecting');
	#retryInSeconds = $state<number | null>(null);
	readonly scope: string;

	/** `scope` keeps the tabs of different people apart: the user's id. */
	constructor({ scope }: { scope: string }) {
		this.scope = scope;
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
		return this.#state;
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
		this.#merged = merge(this.#merged, message);
	}

	start(): void {
		this.#state = 'connecting';
	}

	close(): void {
		this.#state = 'closed';
		this.#retryInSeconds = null;
	}
}

function newestFirst(a: StoredFile, b: StoredFile): number {
	if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
	return a.id < b.id ? 1 : -1;
}
