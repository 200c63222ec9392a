import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, params }) => {
	const { auth, webhooks } = locals.app;
	const { userId } = auth.require(locals.session);
	return Response.json(await webhooks.changeSecret(userId, params.id));
};
