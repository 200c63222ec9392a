import type { RequestHandler } from './$types';

export const DELETE: RequestHandler = async ({ locals, params }) => {
	const { auth, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	await projects.invitations.revoke(userId, params.id, params.invitationId);
	return new Response(null, { status: 204 });
};
