// What the live stream needs of the world around it. Tests hand in doubles.
export type EventSourceLike = {
	readonly readyState: number;
	addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
	close(): void;
};

export type Outside = {
	openEventSource(url: string): EventSourceLike;
	fetch(url: string, init: RequestInit): Promise<Response>;
	random(): number;
	/** Fires `online`, `offline`, `visibilitychange`, `pagehide` and `pageshow`. */
	page: PageEvents;
	isVisible(): boolean;
	/** undefined where browsers refuse it (plain http to another machine): each tab then has its own connection. */
	locks: Pick<LockManager, 'request' | 'query'> | undefined;
	openChannel(name: string): ChannelLike;
};

export type PageEvents = {
	addEventListener(type: string, listener: () => void): void;
	removeEventListener(type: string, listener: () => void): void;
};

export type ChannelLike = {
	postMessage(message: unknown): void;
	addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
	close(): void;
};

export function browserOutside(): Outside {
	return {
		openEventSource: (url) => new EventSource(url),
		fetch: (url, init) => fetch(url, init),
		random: Math.random,
		page: pageEvents(),
		isVisible: () => document.visibilityState === 'visible',
		locks: 'locks' in navigator ? navigator.locks : undefined,
		openChannel: (name) => new BroadcastChannel(name)
	};
}

/** One of them is the document's, the others are the window's. */
function pageEvents(): PageEvents {
	const targetOf = (type: string) => (type === 'visibilitychange' ? document : window);
	return {
		addEventListener: (type, listener) => targetOf(type).addEventListener(type, listener),
		removeEventListener: (type, listener) => targetOf(type).removeEventListener(type, listener)
	};
}
