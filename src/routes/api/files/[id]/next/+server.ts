import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, params }) => {
	const { auth, files } = locals.app;
	const { userId } = auth.require(locals.session);
	return Response.json(await files.prefer(userId, params.id), { status: 202 });
};
