// The uploads that this browser began and did not finish, kept beyond a reload: the same file chosen again goes on from
// where it was. A page cannot keep the file itself.
import * as v from 'valibot';

const Entry = v.object({
	name: v.string(),
	size: v.number(),
	modified: v.number(),
	folder: v.string(),
	/** Of the upload on the server. */
	url: v.pipe(v.string(), v.regex(/^\/api\/uploads\/[\w-]+$/)),
	sentBytes: v.number(),
	at: v.number()
});
const Entries = v.pipe(v.string(), v.parseJson(), v.array(Entry));
export type Unfinished = v.InferOutput<typeof Entry>;
export type Fingerprint = Pick<Unfinished, 'name' | 'size' | 'modified' | 'folder'>;

/** The server forgets them after a day. */
const keptMs = 86_400_000;
const keptMost = 200;

export function fingerprintOf({ name, size, lastModified }: File, folder: string): Fingerprint {
	return { name, size, modified: lastModified, folder };
}

export type UnfinishedOptions = {
	/** Another person of this browser has their own. */
	scope: string;
	storage: Pick<Storage, 'getItem' | 'setItem'> | undefined;
	locks: Pick<LockManager, 'request' | 'query'> | undefined;
	now?: () => number;
};

export class UnfinishedUploads {
	/** Those that nobody sends: the page asks for their files. */
	waiting = $state.raw<readonly Unfinished[]>([]);
	readonly #options: UnfinishedOptions;
	/** Begun or taken up by this page. */
	readonly #own = new Set<string>();
	/** Being sent by this page. */
	readonly #sending = new Set<string>();

	constructor(options: UnfinishedOptions) {
		this.#options = options;
	}

	find(wanted: Fingerprint): Unfinished | undefined {
		return this.#read().find((one) => isSame(one, wanted));
	}

	put(entry: Omit<Unfinished, 'at'>): void {
		const others = this.#read().filter(({ url }) => url !== entry.url);
		this.#write([{ ...entry, at: this.#now() }, ...others].slice(0, keptMost));
		this.#take(entry.url);
	}

	remove(url: string): void {
		this.#write(this.#read().filter((one) => one.url !== url));
		this.#take(url);
	}

	/** What is being sent by another tab is not waiting for anybody. */
	async look(): Promise<void> {
		const held = await this.#held();
		this.waiting = this.#read().filter(({ url }) => !this.#own.has(url) && !held.has(lockOf(url)));
	}

	async isSentElsewhere(url: string): Promise<boolean> {
		return !this.#sending.has(url) && (await this.#held()).has(lockOf(url));
	}

	/** While `sending` runs, other tabs know that somebody does. */
	async whileSending<T>(url: string, sending: Promise<T>): Promise<void> {
		const done = sending.then(
			() => undefined,
			() => undefined
		);
		this.#sending.add(url);
		await this.#options.locks?.request(lockOf(url), { ifAvailable: true }, () => done);
		this.#sending.delete(url);
	}

	async #held(): Promise<ReadonlySet<string | undefined>> {
		return new Set((await this.#options.locks?.query())?.held?.map(({ name }) => name));
	}

	#take(url: string): void {
		this.#own.add(url);
		this.waiting = this.waiting.filter((one) => one.url !== url);
	}

	#read(): Unfinished[] {
		const entries = v.safeParse(Entries, this.#options.storage?.getItem(this.#key) ?? '[]');
		return entries.success ? entries.output.filter(({ at }) => this.#now() - at < keptMs) : [];
	}

	#write(entries: readonly Unfinished[]): void {
		try {
			this.#options.storage?.setItem(this.#key, JSON.stringify(entries));
		} catch {
			// A full or forbidden storage: uploads then only go on while the page lives.
		}
	}

	#now(): number {
		return (this.#options.now ?? Date.now)();
	}

	get #key(): string {
		return `asura.unfinished.${this.#options.scope}`;
	}
}

function isSame(one: Fingerprint, other: Fingerprint): boolean {
	return (
		one.name === other.name &&
		one.size === other.size &&
		one.modified === other.modified &&
		one.folder === other.folder
	);
}

function lockOf(url: string): string {
	return `asura.upload.${url}`;
}
