import type { ServerResponse } from 'node:http';
import { type Sink, type SinkEvents, streamHeaders } from './sink.ts';

const lingerMs = 5000;

/** Half the memory of a stream through Kit, and Node counts the unsent bytes itself. A class: there are thousands. */
export class RawSink implements Sink {
	readonly #response: ServerResponse;

	constructor(response: ServerResponse, headers: Iterable<[string, string]> = []) {
		this.#response = response;
		response.writeHead(200, { ...Object.fromEntries(headers), ...streamHeaders });
	}

	attach(events: SinkEvents): void {
		this.#response.on('drain', () => events.onDrain());
		this.#response.on('close', () => events.onClose());
	}

	write(bytes: Uint8Array): void {
		this.#response.write(bytes);
	}

	pending(): number {
		return this.#response.writableLength;
	}

	end(): void {
		this.#response.end();
		if (this.#response.writableLength > 0) destroyUnread(this.#response);
	}

	destroy(): void {
		this.#response.destroy();
	}
}

/** Whoever does not read the rest either must not keep the connection for ever. */
function destroyUnread(response: ServerResponse): void {
	const timer = setTimeout(() => response.destroy(), lingerMs).unref();
	response.once('close', () => clearTimeout(timer));
}
