// Search while typing: waits for a short pause, and an answer to an older question is never shown.
import type { SearchAnswer, SearchResult } from '#lib/shared/api.ts';
import { limits } from '#lib/shared/limits.ts';
import { ApiError } from './api.ts';

const pauseMs = 140;

type Find = (q: string, options: { signal: AbortSignal }) => Promise<SearchAnswer>;

export class Search {
	#query = $state('');
	#answer = $state.raw<SearchAnswer>();
	/** What `answer` answers. */
	#asked = $state('');
	#error = $state.raw<string>();
	#isSearching = $state(false);
	/** The result that the arrow keys stand on; -1 for none. */
	at = $state(-1);
	readonly #find: Find;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#aborter: AbortController | undefined;

	constructor(find: Find, query = '') {
		this.#find = find;
		this.#query = query;
	}

	get query(): string {
		return this.#query;
	}

	get results(): readonly SearchResult[] {
		return this.#answer?.results ?? [];
	}

	get answer(): SearchAnswer | undefined {
		return this.#answer;
	}

	get asked(): string {
		return this.#asked;
	}

	get error(): string | undefined {
		return this.#error;
	}

	get isSearching(): boolean {
		return this.#isSearching;
	}

	type(text: string): void {
		this.#query = text.slice(0, limits.maxQueryLength);
		this.at = -1;
		this.#aborter?.abort();
		clearTimeout(this.#timer);
		if (this.#query.trim() === '') return this.#forget();
		this.#isSearching = true;
		this.#timer = setTimeout(() => void this.#ask(this.#query.trim()), pauseMs);
	}

	move(step: 1 | -1): void {
		const { length } = this.results;
		if (length > 0) this.at = (Math.max(this.at, step === 1 ? -1 : 0) + step + length) % length;
	}

	close(): void {
		this.#aborter?.abort();
		clearTimeout(this.#timer);
	}

	#forget(): void {
		this.#answer = undefined;
		this.#error = undefined;
		this.#isSearching = false;
	}

	async #ask(q: string): Promise<void> {
		const { signal } = (this.#aborter = new AbortController());
		try {
			const answer = await this.#find(q, { signal });
			if (signal.aborted) return;
			this.#answer = answer;
			this.#asked = q;
			this.#error = undefined;
		} catch (error) {
			if (signal.aborted) return;
			this.#answer = undefined;
			this.#error = error instanceof ApiError ? error.message : 'The search could not be answered.';
		}
		this.#isSearching = false;
	}
}
