// The live stream in a terminal: every message from a cursor on, over as many connections as it takes.
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { ApiError, offline, refusal } from '#lib/client/api.ts';
import { backoffMs } from '#lib/client/backoff.ts';
import type { Connection } from '#lib/client/connect.ts';
import { NamedEvent, StreamMessage, streamEvents } from '#lib/shared/events.ts';
import { openSse } from '../sse.ts';

export type Message = StreamMessage | NamedEvent;
type Options = {
	/** Whose files; undefined: the person's own. */
	project?: string | undefined;
	cursor: string | undefined;
	signal: AbortSignal;
	/** The connection is gone; it will be tried again. */
	onLost?: (error: ApiError) => void;
};

const silenceMs = 75_000;
const Json = v.pipe(v.string(), v.parseJson());

/** Ends when the signal says so; throws only what coming back would not help. */
export async function* follow(
	server: Connection,
	{ project, cursor, signal, onLost }: Options
): AsyncGenerator<Message> {
	const path = project === undefined ? '/api/files/events' : `/api/projects/${project}/events`;
	let attempt = 0;
	while (!signal.aborted) {
		try {
			for await (const { message, id } of connectOnce(server, { path, cursor, signal })) {
				attempt = 0;
				cursor = id ?? cursor;
				yield message;
			}
		} catch (error) {
			if (signal.aborted) return;
			if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429)
				throw error;
			onLost?.(error instanceof ApiError ? error : new ApiError(offline, 0, error));
		}
		// A signal that ends the pause ends the loop.
		await pause(backoffMs(attempt++, Math.random()), undefined, { signal }).catch(() => undefined);
	}
}

type Attempt = { path: string; cursor: string | undefined; signal: AbortSignal };

async function* connectOnce(server: Connection, { path, cursor, signal }: Attempt) {
	const url = new URL(path, server.url);
	if (cursor !== undefined) url.searchParams.set('cursor', cursor);
	const reader = await openSse(url, { authorization: `Bearer ${server.key}` });
	const close = () => reader.close();
	signal.addEventListener('abort', close, { once: true });
	try {
		const { response } = reader;
		if (!response.ok) throw refusal(await response.text(), response.status);
		for (;;) {
			const frame = await reader.next(silenceMs);
			if (!frame) return;
			const schema = streamEvents.some((own) => own === frame.event) ? StreamMessage : NamedEvent;
			const parsed = v.safeParse(v.pipe(Json, schema), frame.data);
			if (parsed.success) yield { message: parsed.output, id: frame.id };
		}
	} finally {
		signal.removeEventListener('abort', close);
		close();
	}
}
