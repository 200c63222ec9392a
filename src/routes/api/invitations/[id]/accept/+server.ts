import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, params }) => {
	const { auth, projects } = locals.app;
	const session = auth.require(locals.session);
	const projectId = await projects.invitations.accept(session, params.id);
	return json(await projects.get(session.userId, projectId));
};
