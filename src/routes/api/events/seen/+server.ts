import { SeenEventsJson } from '#lib/shared/named-events.ts';
import type { RequestHandler } from './$types';

/** A browser has shown these notifications: they need not be kept any longer. */
export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, events, parse } = locals.app;
	const session = auth.require(locals.session);
	await events.seen(session.userId, parse(SeenEventsJson, await request.text()).ids);
	return new Response(null, { status: 204 });
};
