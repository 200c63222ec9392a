// One connection for all tabs of a person: browsers allow six to a host over HTTP/1.1. The tab that holds the lock
// leads; when it goes, the browser hands the lock to the next one. A leader from which nothing was heard for too long
// (frozen, hung) loses the lock. Where there are no locks, every tab leads itself.
import type { ChannelLike, Outside } from './outside.ts';

export type TabsOptions = {
	name: string;
	outside: Pick<Outside, 'locks' | 'openChannel'>;
	/** This tab leads from now on. */
	onLead(): void;
	/** Another tab took over. */
	onDeposed(): void;
	onMessage(message: unknown): void;
};

/** How many tabs share the connection of this name: the one that leads and those that wait to. */
export async function countTabs(locks: NonNullable<Outside['locks']>, name: string): Promise<number> {
	const { held = [], pending = [] } = await locks.query();
	return [...held, ...pending].filter((lock) => lock.name === name).length;
}

export class Tabs {
	readonly #options: TabsOptions;
	readonly #channel: ChannelLike;
	#resign: (() => void) | undefined;
	#waiting: AbortController | undefined;
	#isClosed = false;

	constructor(options: TabsOptions) {
		this.#options = options;
		this.#channel = options.outside.openChannel(options.name);
		this.#channel.addEventListener('message', ({ data }) => {
			if (!this.#isClosed) options.onMessage(data);
		});
	}

	get isLeader(): boolean {
		return this.#resign !== undefined;
	}

	join(): void {
		if (this.#options.outside.locks) void this.#ask({ steal: false });
		else this.#lead(() => undefined);
	}

	/** The leader does not answer. */
	seize(): void {
		if (!this.#options.outside.locks || this.isLeader || this.#isClosed) return;
		this.#waiting?.abort();
		void this.#ask({ steal: true });
	}

	post(message: unknown): void {
		if (!this.#isClosed) this.#channel.postMessage(message);
	}

	close(): void {
		this.#isClosed = true;
		this.#waiting?.abort();
		this.#resign?.();
		this.#resign = undefined;
		this.#channel.close();
	}

	async #ask({ steal }: { steal: boolean }): Promise<void> {
		const { locks } = this.#options.outside;
		const waiting = new AbortController();
		this.#waiting = waiting;
		// The browser takes either a signal or `steal`.
		const options = steal ? { steal } : { signal: waiting.signal };
		try {
			await locks?.request(this.#options.name, options, () => {
				if (this.#isClosed || this.#waiting !== waiting) return;
				return new Promise<void>((resign) => this.#lead(resign));
			});
		} catch {
			// Stolen, or no longer waited for.
			if (this.#waiting === waiting) this.#step();
		}
	}

	#lead(resign: () => void): void {
		this.#resign = resign;
		this.#options.onLead();
	}

	#step(): void {
		if (this.#isClosed) return;
		if (this.isLeader) this.#options.onDeposed();
		this.#resign = undefined;
		this.join();
	}
}
