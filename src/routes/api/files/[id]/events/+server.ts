import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params, platform }) => {
	const { auth, events } = locals.app;
	const session = auth.require(locals.session);
	const target = { session, fileId: params.id };
	const stream = await events.openFollow(target, () => platform?.req.socket.destroy());
	return new Response(stream, { headers: events.streamHeaders });
};

/** Kit would answer HEAD by opening a stream that nobody closes. */
export const HEAD: RequestHandler = async ({ locals, params }) => {
	const { auth, events, files } = locals.app;
	await files.get(auth.require(locals.session).userId, params.id);
	return new Response(null, { headers: events.streamHeaders });
};
