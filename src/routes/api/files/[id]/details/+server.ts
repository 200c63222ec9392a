import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params }) => {
	const { auth, files } = locals.app;
	const { userId } = auth.require(locals.session);
	return Response.json(await files.details(userId, params.id));
};
