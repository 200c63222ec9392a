// Behind the custom server a GET never gets here (server/events/raw-route.ts); in development it does.
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ locals, request, url, platform }) => {
	const { auth, events } = locals.app;
	const session = auth.require(locals.session);
	const lastEventId = request.headers.get('last-event-id');
	const stream = events.openWeb({ session, url, lastEventId }, () => platform?.req.socket.destroy());
	return new Response(stream, { headers: events.streamHeaders });
};

/** Kit would answer HEAD by opening a stream that nobody closes. */
export const HEAD: RequestHandler = ({ locals }) => {
	const { auth, events } = locals.app;
	auth.require(locals.session);
	return new Response(null, { headers: events.streamHeaders });
};
