// What the page has to say apart from its rows: one sentence for those who listen, and what could not be done.
import { ApiError } from './api.ts';

export class Notices {
	/** Read aloud, never drawn. */
	spoken = $state('');
	#shown = $state.raw<readonly { id: number; text: string }[]>([]);
	#counter = 0;

	get shown() {
		return this.#shown;
	}

	say(text: string): void {
		this.spoken = text;
	}

	failed(what: string, error: unknown): void {
		const why = error instanceof ApiError ? error.message : 'Something unexpected happened.';
		this.show(`${what} ${why}`);
	}

	show(text: string): void {
		this.#shown = [...this.#shown, { id: ++this.#counter, text }];
	}

	dismiss(id: number): void {
		this.#shown = this.#shown.filter((one) => one.id !== id);
	}
}
