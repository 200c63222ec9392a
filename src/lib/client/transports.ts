// The two ways in which messages come: an EventSource, and a request that waits. Both hand on what the schema accepts;
// what it does not accept is counted and dropped: one bad frame must not end a connection.
import * as v from 'valibot';
import { ChangesAnswer, NamedEvent, streamEvents, StreamMessage } from '#lib/shared/events.ts';
import type { Outside } from './outside.ts';

export type EventHandlers = {
	onMessage(message: StreamMessage, cursor: string | undefined): void;
	/** Names beyond the stream's own. */
	names: readonly string[];
	onEvent(event: NamedEvent): void;
	onMalformed(): void;
	/** At most once, and nothing after it. */
	onError(): void;
};

const pollWaitSeconds = 25;
const pollPauseMs = 250;

/** Returns the function that closes it. */
export function openEvents(
	outside: Pick<Outside, 'openEventSource'>,
	url: string,
	{ onMessage, names, onEvent, onMalformed, onError }: EventHandlers
): () => void {
	const source = outside.openEventSource(url);
	let isOpen = true;
	const close = () => {
		isOpen = false;
		source.close();
	};
	const listen = <T>(
		name: string,
		schema: v.GenericSchema<unknown, T>,
		take: (value: T, id: string) => void
	) =>
		source.addEventListener(name, ({ data, lastEventId }) => {
			if (!isOpen) return;
			const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), data);
			if (result.success) take(result.output, lastEventId);
			else onMalformed();
		});
	for (const name of streamEvents)
		listen(name, StreamMessage, (message, id) => onMessage(message, id || undefined));
	for (const name of names) listen(name, NamedEvent, onEvent);
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
	/** What was followed is not there any more, or not for this person. */
	onGone(): void;
	onFailed(): void;
};

/** Asks again and again until it is stopped or an answer fails; the server waits for news. Returns the function that stops it. */
export function startPolling(
	outside: Pick<Outside, 'fetch'>,
	urlFor: (waitSeconds: number) => string,
	{ onAnswer, onSignedOut, onGone, onFailed }: PollEvents
): () => void {
	const controller = new AbortController();
	const { signal } = controller;
	const run = async () => {
		// The first answer comes at once: it also tells whether there is anybody.
		for (let waitSeconds = 0; !signal.aborted; waitSeconds = pollWaitSeconds) {
			const answer = await ask(outside, urlFor(waitSeconds), signal);
			if (signal.aborted) return;
			if (answer === 'signed-out') return onSignedOut();
			if (answer === 'gone') return onGone();
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
): Promise<ChangesAnswer | 'signed-out' | 'gone' | 'failed'> {
	try {
		const response = await outside.fetch(url, { signal });
		if (response.status === 401) return 'signed-out';
		if (response.status === 404) return 'gone';
		if (!response.ok) return 'failed';
		const body = v.safeParse(ChangesAnswer, await response.json());
		return body.success ? body.output : 'failed';
	} catch {
		// Not reachable, cut off, or not JSON: for us all the same, there is no answer.
		return 'failed';
	}
}
