// What a client says about itself when it opens a stream.
import { problem } from '../errors.ts';

export type Visit = {
	/** Continue from here. */
	cursor: string | undefined;
	/** The browser's own name for its connection: a new one takes the place of the old. */
	client: string | undefined;
	/** Whose files are meant. */
	user: string | undefined;
	/** The names that are asked for; undefined: all. */
	events: ReadonlySet<string> | undefined;
};

const fileEvents = new Set(['snapshot', 'file-update', 'file-deleted']);
const clientName = /^[\w-]{1,64}$/;

/** The header wins: EventSource comes back to the address it was given, with a newer id in the header. */
export function readVisit(url: URL, lastEventId: string | null): Visit {
	const client = url.searchParams.get('client') ?? '';
	return {
		cursor: lastEventId || url.searchParams.get('cursor') || undefined,
		events: namesOf(url.searchParams.get('events')),
		user: url.searchParams.get('user') ?? undefined,
		client: clientName.test(client) ? client : undefined
	};
}

/** Files come whole or not at all: a list kept from half of the messages would be wrong. */
export function wants(events: Visit['events'], name: string): boolean {
	if (!events) return true;
	return fileEvents.has(name) ? [...fileEvents].some((one) => events.has(one)) : events.has(name);
}

/** A page of one person must not go on with the files of another, who has signed in in the same browser since. */
export function checkPerson(session: { userId: string }, user: string | undefined): void {
	if (user !== undefined && user !== session.userId) throw problem('auth.required');
}

function namesOf(list: string | null): Visit['events'] {
	const names = list?.split(',').map((name) => name.trim());
	return names && new Set(names.filter(Boolean));
}
