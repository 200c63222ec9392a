// What a client says about itself when it opens a stream.
export type Visit = { cursor: string | undefined; client: string | undefined };

const clientName = /^[\w-]{1,64}$/;

/** The header wins: EventSource comes back to the address it was given, with a newer id in the header. */
export function readVisit(url: URL, lastEventId: string | null): Visit {
	const client = url.searchParams.get('client') ?? '';
	return {
		cursor: lastEventId || url.searchParams.get('cursor') || undefined,
		client: clientName.test(client) ? client : undefined
	};
}
