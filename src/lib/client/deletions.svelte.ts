// Delete with a way back: the rows go at once, the server is told a few seconds later, or when the page goes away.
const undoForMs = 6000;

type File = { id: string; filename: string };
export type Pending = { key: number; name: string; ids: readonly string[] };
type Timed = Pending & { timer: ReturnType<typeof setTimeout> };

export class Deletions {
	#pending = $state.raw<readonly Timed[]>([]);
	readonly #remove: (ids: readonly string[]) => Promise<void>;
	readonly #onFailed: (name: string, error: unknown) => void;
	/** Told and answered, but the stream has not said so yet. */
	#gone = $state.raw<ReadonlySet<string>>(new Set());
	readonly #hidden = $derived(new Set([...this.#gone, ...this.#pending.flatMap(({ ids }) => ids)]));
	#counter = 0;

	constructor(options: {
		remove: (ids: readonly string[]) => Promise<void>;
		onFailed: (name: string, error: unknown) => void;
	}) {
		this.#remove = options.remove;
		this.#onFailed = options.onFailed;
	}

	get pending(): readonly Pending[] {
		return this.#pending;
	}

	isHidden = (id: string): boolean => this.#hidden.has(id);

	/** One way back for all of them. */
	ask(...files: readonly File[]): void {
		const [first] = files;
		if (!first) return;
		const key = ++this.#counter;
		const name = files.length === 1 ? first.filename : `${files.length} files`;
		const timer = setTimeout(() => void this.#send(key), undoForMs);
		this.#pending = [...this.#pending, { key, name, ids: files.map(({ id }) => id), timer }];
	}

	undo(key: number): void {
		for (const one of this.#pending) if (one.key === key) clearTimeout(one.timer);
		this.#pending = this.#pending.filter((one) => one.key !== key);
	}

	/** Nothing waits any longer: for when the page is left. */
	flush(): void {
		for (const { key } of this.#pending) void this.#send(key);
	}

	async #send(key: number): Promise<void> {
		const pending = this.#pending.find((one) => one.key === key);
		if (!pending) return;
		this.#gone = new Set([...this.#gone, ...pending.ids]);
		this.undo(key);
		try {
			await this.#remove(pending.ids);
		} catch (error) {
			this.#gone = new Set([...this.#gone].filter((id) => !pending.ids.includes(id)));
			this.#onFailed(pending.name, error);
		}
	}
}
