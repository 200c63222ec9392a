// The text of one file while it is being read: fetched once, shown around the place that was asked for.
import { ApiError, type Beginning } from './api.ts';
import { findPart, type Part, partsOf } from './reading.ts';

const before = 1;
const step = 12;
/** A text of gigabytes is for the disk, not for a page. */
export const maxTextBytes = 8_000_000;

export type Wanted = { page: number | null; near: string };

type Load = { fetchText: () => Promise<Beginning>; hasPages: boolean; wanted: Wanted; signal: AbortSignal };

export class Reading {
	#parts = $state.raw<readonly Part[]>([]);
	#from = $state(0);
	#to = $state(0);
	#isWhole = $state(true);
	#target = $state.raw<Part>();
	state = $state<'loading' | 'ready' | 'missing' | 'failed'>('loading');

	get shown(): readonly Part[] {
		return this.#parts.slice(this.#from, this.#to);
	}

	/** The part that was asked for. */
	get target(): Part | undefined {
		return this.#target;
	}

	get hasEarlier(): boolean {
		return this.#from > 0;
	}

	get hasLater(): boolean {
		return this.#to < this.#parts.length;
	}

	/** The end is reached, but not that of the text. */
	get isCut(): boolean {
		return !this.#isWhole && !this.hasLater;
	}

	/** `fetchText` may be given up by `signal`: then another load has taken over. */
	async load({ fetchText, hasPages, wanted, signal }: Load): Promise<void> {
		try {
			const { text, isWhole } = await fetchText();
			this.#parts = partsOf(text, hasPages);
			this.#isWhole = isWhole;
			const at = findPart(this.#parts, wanted);
			const isWanted = wanted.page !== null || wanted.near !== '';
			this.#target = isWanted ? this.#parts[at] : undefined;
			this.#from = Math.max(0, at - before);
			this.#to = at + step;
			this.state = 'ready';
		} catch (error) {
			if (signal.aborted) return;
			const isMissing = error instanceof ApiError && error.code === 'file.variant_missing';
			this.state = isMissing ? 'missing' : 'failed';
		}
	}

	showEarlier(): void {
		this.#from = Math.max(0, this.#from - step);
	}

	showLater(): void {
		this.#to += step;
	}
}
