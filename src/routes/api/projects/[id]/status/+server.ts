import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params, platform, request, url }) => {
	const { auth, events, projects } = locals.app;
	const session = auth.require(locals.session);
	const scope = await projects.reach(session.userId, params.id);
	const door = { session, scope, url, lastEventId: request.headers.get('last-event-id'), isStatus: true };
	const stream = events.openWeb(door, () => platform?.req.socket.destroy());
	return new Response(stream, { headers: events.streamHeaders });
};

/** Kit would answer HEAD by opening a stream that nobody closes. */
export const HEAD: RequestHandler = async ({ locals, params }) => {
	const { auth, events, projects } = locals.app;
	await projects.reach(auth.require(locals.session).userId, params.id);
	return new Response(null, { headers: events.streamHeaders });
};
