// The world around the client's stream, in the hands of a test: connections that it opens, answers that it waits for,
// locks and channels that all "tabs" of one test share.
import type { ChannelLike, EventSourceLike, Outside } from '#lib/client/outside.ts';
import type { StreamMessage } from '#lib/shared/events.ts';

type Untimed<M> = M extends { timestamp: string } ? Omit<M, 'timestamp'> : never;
export type Said = Untimed<StreamMessage>;

export class FakeEventSource implements EventSourceLike {
	readyState = 0;
	readonly url: URL;
	readonly #listeners = new Map<string, ((event: MessageEvent<string>) => void)[]>();

	constructor(url: string) {
		this.url = new URL(url, 'http://asura');
	}

	get isClosed(): boolean {
		return this.readyState === 2;
	}

	get cursor(): string | null {
		return this.url.searchParams.get('cursor');
	}

	addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
		this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
	}

	close(): void {
		this.readyState = 2;
	}

	say(message: Said, id = ''): void {
		this.sayRaw(message.eventType, JSON.stringify({ ...message, timestamp: 'now' }), id);
	}

	sayRaw(type: string, data: string, id = ''): void {
		this.readyState = 1;
		this.#emit(type, { data, lastEventId: id } as MessageEvent<string>);
	}

	fail(): void {
		this.#emit('error', {} as MessageEvent<string>);
	}

	#emit(type: string, event: MessageEvent<string>): void {
		for (const listener of this.#listeners.get(type) ?? []) listener(event);
	}
}

export type FakeRequest = {
	url: URL;
	signal: AbortSignal;
	body: RequestInit['body'];
	answer(status: number, body?: unknown): void;
	fail(): void;
};

/** What one browser shares between its tabs. */
export class FakeBrowser {
	readonly #channels = new Map<string, Set<FakeChannel>>();
	readonly #locks = new Map<string, FakeLock>();

	openChannel(name: string): ChannelLike {
		const members = this.#channels.get(name) ?? new Set();
		this.#channels.set(name, members);
		const channel = new FakeChannel(members);
		members.add(channel);
		return channel;
	}

	readonly locks = {
		request: (name: string, options: LockOptions, callback: (lock: Lock | null) => unknown) => {
			const lock = this.#locks.get(name) ?? new FakeLock();
			this.#locks.set(name, lock);
			return lock.request(options, callback);
		},
		query: async () => [...this.#locks].map(([name, lock]) => lock.snapshot(name)).reduce(joined)
	} as unknown as NonNullable<Outside['locks']>;
}

function joined(a: LockManagerSnapshot, b: LockManagerSnapshot): LockManagerSnapshot {
	return {
		held: [...(a.held ?? []), ...(b.held ?? [])],
		pending: [...(a.pending ?? []), ...(b.pending ?? [])]
	};
}

class FakeLock {
	readonly #queue: LockRequest[] = [];
	#holder: LockRequest | undefined;

	request(options: LockOptions, callback: (lock: Lock | null) => unknown): Promise<void> {
		return new Promise<void>((resolve, reject) => {
			const request: LockRequest = { callback, resolve, reject };
			options.signal?.addEventListener('abort', () => {
				const at = this.#queue.indexOf(request);
				if (at >= 0) this.#queue.splice(at, 1);
				reject(new DOMException('aborted', 'AbortError'));
			});
			if (options.steal) {
				this.#holder?.reject(new DOMException('stolen', 'AbortError'));
				this.#holder = undefined;
				this.#queue.unshift(request);
			} else this.#queue.push(request);
			this.#next();
		});
	}

	snapshot(name: string): LockManagerSnapshot {
		return { held: this.#holder ? [{ name }] : [], pending: this.#queue.map(() => ({ name })) };
	}

	#next(): void {
		if (this.#holder) return;
		const request = this.#queue.shift();
		if (!request) return;
		this.#holder = request;
		void Promise.resolve(request.callback(null)).then(() => {
			request.resolve();
			if (this.#holder !== request) return;
			this.#holder = undefined;
			this.#next();
		});
	}
}

type LockRequest = {
	callback: (lock: Lock | null) => unknown;
	resolve: () => void;
	reject: (reason: unknown) => void;
};

class FakeChannel implements ChannelLike {
	readonly #members: Set<FakeChannel>;
	#listener: ((event: MessageEvent<unknown>) => void) | undefined;

	constructor(members: Set<FakeChannel>) {
		this.#members = members;
	}

	postMessage(message: unknown): void {
		for (const member of this.#members) {
			if (member === this) continue;
			const data: unknown = structuredClone(message);
			queueMicrotask(() => member.#listener?.({ data } as MessageEvent<unknown>));
		}
	}

	addEventListener(_: 'message', listener: (event: MessageEvent<unknown>) => void): void {
		this.#listener = listener;
	}

	close(): void {
		this.#members.delete(this);
		this.#listener = undefined;
	}
}

/** One tab. */
export class FakeTab implements Outside {
	readonly sources: FakeEventSource[] = [];
	readonly requests: FakeRequest[] = [];
	readonly page = new EventTarget() as EventTarget & Outside['page'];
	readonly locks: Outside['locks'];
	readonly #browser: FakeBrowser;
	isShown = true;
	/** 1: waits are as long as they can be. */
	chance = 1;

	constructor(browser = new FakeBrowser(), { hasLocks = true } = {}) {
		this.#browser = browser;
		this.locks = hasLocks ? browser.locks : undefined;
	}

	/** The connection that was opened last. */
	get source(): FakeEventSource {
		const source = this.sources.at(-1);
		if (!source) throw new Error('no connection was opened');
		return source;
	}

	get request(): FakeRequest {
		const request = this.requests.at(-1);
		if (!request) throw new Error('nothing was asked');
		return request;
	}

	openEventSource(url: string): EventSourceLike {
		const source = new FakeEventSource(url);
		this.sources.push(source);
		return source;
	}

	fetch(url: string, { signal, body }: RequestInit): Promise<Response> {
		return new Promise((resolve, reject) => {
			signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
			this.requests.push({
				url: new URL(url, 'http://asura'),
				signal: signal ?? new AbortController().signal,
				body,
				answer: (status, body = {}) => resolve(Response.json(body, { status })),
				fail: () => reject(new TypeError('fetch failed'))
			});
		});
	}

	random(): number {
		return this.chance;
	}

	isVisible(): boolean {
		return this.isShown;
	}

	openChannel(name: string): ChannelLike {
		return this.#browser.openChannel(name);
	}
}
