// The harness's hold on the network between its stream and the server: it shows every frame as it comes, and can cut
// everything, refuse to connect, or swallow what arrives.
import type { EventSourceLike, Outside } from './outside.ts';

export type Weather = 'fair' | 'cut' | 'frozen';
export type RawFrame = { event: string; id: string; data: string; at: number };

export class WeatheredOutside implements Outside {
	readonly random: Outside['random'];
	readonly page: Outside['page'];
	readonly isVisible: Outside['isVisible'];
	readonly locks: Outside['locks'];
	readonly openChannel: Outside['openChannel'];
	readonly #outside: Outside;
	readonly #onFrame: (frame: RawFrame) => void;
	readonly #cuts = new Set<() => void>();
	#weather: Weather = 'fair';

	constructor(outside: Outside, onFrame: (frame: RawFrame) => void) {
		this.#outside = outside;
		this.#onFrame = onFrame;
		this.random = outside.random;
		this.page = outside.page;
		this.isVisible = outside.isVisible;
		this.locks = outside.locks;
		this.openChannel = outside.openChannel;
	}

	get weather(): Weather {
		return this.#weather;
	}

	change(weather: Weather): void {
		this.#weather = weather;
		if (weather === 'cut') for (const cut of [...this.#cuts]) cut();
	}

	openEventSource(url: string): EventSourceLike {
		const source = this.#outside.openEventSource(url);
		let onError: (() => void) | undefined;
		const cut = () => {
			this.#cuts.delete(cut);
			source.close();
			onError?.();
		};
		this.#cuts.add(cut);
		// Asynchronously, as a browser tells it.
		if (this.#weather === 'cut') setTimeout(cut, 0);
		return {
			get readyState() {
				return source.readyState;
			},
			addEventListener: (type, listener) => {
				if (type === 'error') onError = () => listener(new MessageEvent('error'));
				source.addEventListener(type, (event) => {
					if (type !== 'error') {
						if (this.#weather === 'frozen') return;
						this.#onFrame({ event: type, id: event.lastEventId, data: event.data, at: Date.now() });
					}
					listener(event);
				});
			},
			close: () => {
				this.#cuts.delete(cut);
				source.close();
			}
		};
	}

	async fetch(url: string, init: RequestInit): Promise<Response> {
		if (this.#weather === 'cut') throw new TypeError('The harness has cut the network.');
		const answer = await this.#outside.fetch(url, init);
		if (this.#weather === 'frozen') await new Promise(() => undefined);
		return answer;
	}
}
