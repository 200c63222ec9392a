// Delete with a way back: the row goes at once, the server is told a few seconds later, or when the page goes away.
const undoForMs = 6000;

type Pending = { id: string; name: string; timer: ReturnType<typeof setTimeout> };

export class Deletions {
	#pending = $state.raw<readonly Pending[]>([]);
	readonly #remove: (id: string) => Promise<void>;
	readonly #onFailed: (name: string, error: unknown) => void;
	/** Told and answered, but the stream has not said so yet. */
	#gone = $state.raw<ReadonlySet<string>>(new Set());

	constructor(options: {
		remove: (id: string) => Promise<void>;
		onFailed: (name: string, error: unknown) => void;
	}) {
		this.#remove = options.remove;
		this.#onFailed = options.onFailed;
	}

	get pending(): readonly Pending[] {
		return this.#pending;
	}

	isHidden = (id: string): boolean => this.#gone.has(id) || this.#pending.some((one) => one.id === id);

	ask(file: { id: string; filename: string }): void {
		const timer = setTimeout(() => void this.#send(file.id), undoForMs);
		this.#pending = [...this.#pending, { id: file.id, name: file.filename, timer }];
	}

	undo(id: string): void {
		for (const one of this.#pending) if (one.id === id) clearTimeout(one.timer);
		this.#pending = this.#pending.filter((one) => one.id !== id);
	}

	/** Nothing waits any longer: for when the page is left. */
	flush(): void {
		for (const { id } of this.#pending) void this.#send(id);
	}

	async #send(id: string): Promise<void> {
		const name = this.#pending.find((one) => one.id === id)?.name ?? '';
		this.#gone = new Set(this.#gone).add(id);
		this.undo(id);
		try {
			await this.#remove(id);
		} catch (error) {
			const rest = new Set(this.#gone);
			rest.delete(id);
			this.#gone = rest;
			this.#onFailed(name, error);
		}
	}
}
