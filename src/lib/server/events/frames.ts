// Messages as bytes of text/event-stream. A frame's body is made once and shared by every connection that needs it;
// what differs between connections (the id line) follows it.
import { Buffer } from 'node:buffer';
import type { StreamMessage } from '#lib/shared/events.ts';
import type { Change } from '../files/changes.ts';

export type Untimed<M> = M extends { timestamp: string } ? Omit<M, 'timestamp'> : never;

type FileMessage = Untimed<
	Extract<StreamMessage, { eventType: 'file-update' | 'file-deleted' | 'proposal-update' }>
>;

/** A change on its way to several connections: encoded when the first of them sends it. */
export type Update = { readonly change: Change; readonly event: string; body(): Buffer };

/** The end of a frame without an id. */
export const blankLine = Buffer.from('\n');

/** The end of a frame after which a client that reconnects continues from `cursor`. */
export function idLine(cursor: string): Buffer {
	return Buffer.from(`id: ${cursor}\n\n`);
}

export function stamp<M extends object>(message: M): M & { timestamp: string } {
	return { ...message, timestamp: new Date().toISOString() };
}

/** Without its end: `blankLine` or an id line must follow. */
export function encode<M extends { eventType: string }>(message: M): Buffer {
	return Buffer.from(`event: ${message.eventType}\ndata: ${JSON.stringify(stamp(message))}\n`);
}

/** Whole: with its end. */
export function frameOf<M extends { eventType: string }>(message: M, cursor?: string): Buffer {
	return Buffer.concat([encode(message), cursor === undefined ? blankLine : idLine(cursor)]);
}

export function encodeMessage(message: Untimed<StreamMessage>): Buffer {
	return encode(message);
}

export function toUpdate(change: Change): Update {
	let body: Buffer | undefined;
	return {
		change,
		event: change.proposal ? 'proposal-update' : change.file ? 'file-update' : 'file-deleted',
		body: () => (body ??= encodeMessage(toMessage(change)))
	};
}

export function toMessage({ id, rev, file, proposal }: Change): FileMessage {
	if (proposal) return { eventType: 'proposal-update', proposal };
	return file ? { eventType: 'file-update', file } : { eventType: 'file-deleted', file: { id, rev } };
}

/** How long a client waits before it comes back: spread, so that a deploy is not followed by everybody at once. */
export function retryLine(random: () => number): Buffer {
	return Buffer.from(`retry: ${1000 + Math.floor(random() * 4000)}\n`);
}
