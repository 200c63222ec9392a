import type { Sink, SinkEvents } from './sink.ts';

const highWaterMark = 64 * 1024;

/**
 * Kit reads one chunk and waits until Node has taken it; what is not read yet waits in the stream's own queue, which is
 * counted. An errored stream leaves the socket of a reader who never reads open, so the socket itself is needed.
 */
export function createWebSink(destroySocket: () => void): Sink & { stream: ReadableStream<Uint8Array> } {
	let events: SinkEvents | undefined;
	let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
	const close = (how: (open: ReadableStreamDefaultController<Uint8Array>) => void) => {
		const open = controller;
		controller = undefined;
		if (!open) return;
		how(open);
		events?.onClose();
	};
	const stream = new ReadableStream<Uint8Array>(
		{
			start: (opened) => void (controller = opened),
			pull: () => {
				if (controller) events?.onDrain();
			},
			cancel: () => close(() => undefined)
		},
		new ByteLengthQueuingStrategy({ highWaterMark })
	);
	return {
		stream,
		attach: (attached) => void (events = attached),
		write: (bytes) => controller?.enqueue(bytes),
		pending: () => highWaterMark - (controller?.desiredSize ?? highWaterMark),
		end() {
			// Whoever does not read would keep the socket: nothing tells when the rest has been taken.
			if (this.pending() > highWaterMark) this.destroy();
			else close((open) => open.close());
		},
		destroy() {
			close((open) => open.error(new Error('The stream was cut.')));
			destroySocket();
		}
	};
}
