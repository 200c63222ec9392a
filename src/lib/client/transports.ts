// The two ways in which messages come: an EventSource, and a request that waits. Both hand on what the schema accepts;
// what it does not accept is counted and dropped: one bad frame must not end a connection.
import * as v from 'valibot';
import { ChangesAnswer, StreamMessage } from '#lib/shared/events.ts';
import type { Outside } from './outside.ts';

export type Incoming = {
	onMessage(message: StreamMessage, cursor: string | undefined): void;
	onMalformed(): void;
};

const pollWaitSeconds = 25;
const pollPauseMs = 250;

const names = ['connected', 'snapshot', 'file-update', 'file-deleted', 'heartbeat', 'reset', 'bye'];

/** Returns the function that closes it. `onError` comes at most once, and nothing after it. */
export function openEvents(
	outside: Pick<Outside, 'openEventSource'>,
	url: string,
	{ onMessage, onMalformed, onError }: Incoming & { onError(): void }
): () => void {
	const source = outside.openEventSource(url);
	let isOpen = true;
	const close = () => {
		isOpen = false;
		source.close();
	};
	for (const name of names) {
		source.addEventListener(name, ({ data, lastEventId }) => {
			if (!isOpen) return;
			const message = parseMessage(data);
			if (message) onMessage(message, lastEventId || undefined);
			else onMalformed();
		});
	}
	// It would come back by itself, but to the same address and without our pauses.
	source.addEventListener('error', () => {
		if (!isOpen) return;
		close();
		onError();
	});
	return close;
}

export type PollEvents = {
	onAnswer(answer: ChangesAnswer): void;
	onSignedOut(): void;
	onFailed(): void;
};

/** Asks again and again until it is stopped or an answer fails; the server waits for news. Returns the function that stops it. */
export function startPolling(
	outside: Pick<Outside, 'fetch'>,
	urlFor: (waitSeconds: number) => string,
	{ onAnswer, onSignedOut, onFailed }: PollEvents
): () => void {
	const controller = new AbortController();
	const { signal } = controller;
	const run = async () => {
		// The first answer comes at once: it also tells whether there is anybody.
		for (let waitSeconds = 0; !signal.aborted; waitSeconds = pollWaitSeconds) {
			const answer = await ask(outside, urlFor(waitSeconds), signal);
			if (signal.aborted) return;
			if (answer === 'signed-out') return onSignedOut();
			if (answer === 'failed') return onFailed();
			onAnswer(answer);
			await new Promise((resolve) => setTimeout(resolve, pollPauseMs));
		}
	};
	void run();
	return () => controller.abort();
}

async function ask(
	outside: Pick<Outside, 'fetch'>,
	url: string,
	signal: AbortSignal
): Promise<ChangesAnswer | 'signed-out' | 'failed'> {
	try {
		const response = await outside.fetch(url, { signal });
		if (response.status === 401) return 'signed-out';
		if (!response.ok) return 'failed';
		const body = v.safeParse(ChangesAnswer, await response.json());
		return body.success ? body.output : 'failed';
	} catch {
		// Not reachable, cut off, or not JSON: for us all the same, there is no answer.
		return 'failed';
	}
}

function parseMessage(data: string): StreamMessage | undefined {
	try {
		const result = v.safeParse(StreamMessage, JSON.parse(data));
		return result.success ? result.output : undefined;
	} catch {
		return undefined;
	}
}
