import type { RequestHandler } from './$types';

export const DELETE: RequestHandler = async ({ locals, params }) => {
	const { auth, projects } = locals.app;
	await projects.invitations.decline(auth.require(locals.session), params.id);
	return new Response(null, { status: 204 });
};
