import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, params }) => {
	const { auth, webhooks } = locals.app;
	const { userId } = auth.require(locals.session);
	return Response.json(await webhooks.replay(userId, params.id, params.delivery), { status: 202 });
};
