// Which files are chosen. What is not in the list any more is not chosen either, without anybody having to say so.
export class Selection {
	#ids = $state.raw<ReadonlySet<string>>(new Set());
	/** Where a range begins: the last one that was chosen alone. */
	#anchor: string | undefined;
	/** Asked for where nothing hovers: every row shows its box. */
	isAsked = $state(false);
	readonly #listed: () => readonly string[];
	readonly chosen: readonly string[] = $derived.by(() => this.#listed().filter((id) => this.#ids.has(id)));

	/** `listed`: what is in the list, in its order. */
	constructor(listed: () => readonly string[]) {
		this.#listed = listed;
	}

	get isOn(): boolean {
		return this.isAsked || this.chosen.length > 0;
	}

	has(id: string): boolean {
		return this.#ids.has(id);
	}

	toggle(id: string, { toHere = false } = {}): void {
		const ids = new Set(this.#ids);
		const isOn = !ids.has(id);
		for (const one of toHere ? this.#rangeTo(id) : [id]) {
			if (isOn) ids.add(one);
			else ids.delete(one);
		}
		this.#anchor = id;
		this.#ids = ids;
	}

	all(): void {
		this.#ids = new Set(this.#listed());
	}

	clear(): void {
		this.#ids = new Set();
		this.#anchor = undefined;
		this.isAsked = false;
	}

	#rangeTo(id: string): readonly string[] {
		const listed = this.#listed();
		const from = this.#anchor === undefined ? -1 : listed.indexOf(this.#anchor);
		const to = listed.indexOf(id);
		if (from < 0 || to < 0) return [id];
		return listed.slice(Math.min(from, to), Math.max(from, to) + 1);
	}
}
