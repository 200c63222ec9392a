// What a client says about itself when it opens a stream.
import { problem } from '../errors.ts';

export type Visit = { cursor: string | undefined; client: string | undefined; user: string | undefined };

const clientName = /^[\w-]{1,64}$/;

/** The header wins: EventSource comes back to the address it was given, with a newer id in the header. */
export function readVisit(url: URL, lastEventId: string | null): Visit {
	const client = url.searchParams.get('client') ?? '';
	return {
		cursor: lastEventId || url.searchParams.get('cursor') || undefined,
		user: url.searchParams.get('user') ?? undefined,
		client: clientName.test(client) ? client : undefined
	};
}

/** A page of one person must not go on with the files of another, who has signed in in the same browser since. */
export function checkPerson(session: { userId: string }, user: string | undefined): void {
	if (user !== undefined && user !== session.userId) throw problem('auth.required');
}
