import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params, platform }) => {
	const { auth, events } = locals.app;
	const session = auth.require(locals.session);
	const target = { session, fileId: params.id };
	const stream = await events.openFollow(target, () => platform?.req.socket.destroy());
	return new Response(stream, { headers: events.streamHeaders });
};

/** Kit would answer HEAD by opening a stream that nobody closes. */
export const HEAD: RequestHandler = ({ locals }) => {
	const { auth, events } = locals.app;
	auth.require(locals.session);
	return new Response(null, { headers: events.streamHeaders });
};
