/** Timers by name: setting one again replaces it, and all of them end together. */
export class Timers<Name extends string> {
	readonly #running = new Map<Name, ReturnType<typeof setTimeout>>();

	set(name: Name, ms: number, what: () => void): void {
		this.stop(name);
		const timer = setTimeout(() => {
			this.#running.delete(name);
			what();
		}, ms);
		this.#running.set(name, timer);
	}

	has(name: Name): boolean {
		return this.#running.has(name);
	}

	stop(name: Name): void {
		clearTimeout(this.#running.get(name));
		this.#running.delete(name);
	}

	stopAll(): void {
		for (const name of [...this.#running.keys()]) this.stop(name);
	}
}
