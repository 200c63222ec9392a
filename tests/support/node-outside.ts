// The client's stream in Node: real connections and real requests, without a browser.
import type { EventSourceLike, Outside } from '#lib/client/outside.ts';
import { type Frame, openSse, type SseClient } from './sse.ts';
import { FakeBrowser } from './outside.ts';

export function nodeOutside(origin: string, cookie: string): Outside & { page: EventTarget } {
	const browser = new FakeBrowser();
	return {
		openEventSource: (url) => new NodeEventSource(origin + url, cookie),
		fetch: (url, init) => fetch(origin + url, { ...init, headers: { ...init.headers, cookie } }),
		random: Math.random,
		page: new EventTarget() as EventTarget & Outside['page'],
		isVisible: () => true,
		locks: browser.locks,
		openChannel: (name) => browser.openChannel(name)
	};
}

/** As much of EventSource as the client uses: names, data, ids, and an error when it is refused or ends. */
class NodeEventSource implements EventSourceLike {
	readyState = 0;
	readonly #listeners = new Map<string, (event: MessageEvent<string>) => void>();
	#client: SseClient | undefined;
	#lastEventId = '';

	constructor(url: string, cookie: string) {
		openSse(url, { cookie, isKept: false, onFrame: (frame) => this.#show(frame), onEnd: () => this.#fail() })
			.then((client) => {
				this.#client = client;
				if (this.readyState === 2) client.close();
				else if (client.status !== 200) this.#fail();
			})
			.catch(() => this.#fail());
	}

	addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
		this.#listeners.set(type, listener);
	}

	close(): void {
		this.readyState = 2;
		this.#client?.close();
	}

	#show({ event, id, data }: Frame): void {
		this.#lastEventId = id ?? this.#lastEventId;
		const shown = { data: JSON.stringify(data), lastEventId: this.#lastEventId };
		this.#listeners.get(event)?.(shown as MessageEvent<string>);
	}

	#fail(): void {
		if (this.readyState !== 2) this.#listeners.get('error')?.({} as MessageEvent<string>);
	}
}
