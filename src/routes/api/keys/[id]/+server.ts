import type { RequestHandler } from './$types';

export const DELETE: RequestHandler = async ({ locals, params }) => {
	await locals.app.auth.revokeKey(locals.session, params.id);
	return new Response(null, { status: 204 });
};
