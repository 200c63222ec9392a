// Where the bytes of one stream go. Two kinds: a raw Node response and Kit's ReadableStream.
export interface Sink {
	/** Before anything is written. */
	attach(events: SinkEvents): void;
	write(bytes: Uint8Array): void;
	/** Bytes written that the other side has not taken yet. */
	pending(): number;
	/** Ends the response after what was written. */
	end(): void;
	/** Cuts the connection; what was not taken is lost. */
	destroy(): void;
}

export type SinkEvents = {
	/** Pending bytes have gone. */
	onDrain(): void;
	/** The other side has left, or the response has ended. */
	onClose(): void;
};

export const streamHeaders = {
	'content-type': 'text/event-stream',
	'cache-control': 'no-cache, no-transform',
	connection: 'keep-alive',
	'x-accel-buffering': 'no'
} as const;
