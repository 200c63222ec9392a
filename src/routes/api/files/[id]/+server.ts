import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params }) => {
	const { auth, files } = locals.app;
	const { userId } = auth.require(locals.session);
	return Response.json(await files.get(userId, params.id));
};

export const DELETE: RequestHandler = async ({ locals, params }) => {
	const { auth, files } = locals.app;
	const { userId } = auth.require(locals.session);
	await files.remove(userId, params.id);
	return new Response(null, { status: 204 });
};
