import type { ServerResponse } from 'node:http';
import { type Sink, streamHeaders } from './sink.ts';

const lingerMs = 5000;

/** Half the memory of a stream through Kit, and Node counts the unsent bytes itself. */
export function createRawSink(response: ServerResponse): Sink {
	return {
		attach(events) {
			response.on('drain', () => events.onDrain());
			response.on('close', () => events.onClose());
			response.writeHead(200, streamHeaders);
		},
		write: (bytes) => void response.write(bytes),
		pending: () => response.writableLength,
		end() {
			response.end();
			if (response.writableLength > 0) destroyUnread(response);
		},
		destroy: () => void response.destroy()
	};
}

/** Whoever does not read the rest either must not keep the connection for ever. */
function destroyUnread(response: ServerResponse): void {
	const timer = setTimeout(() => response.destroy(), lingerMs).unref();
	response.once('close', () => clearTimeout(timer));
}
