import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params }) => {
	const { auth, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	return json({ members: await projects.members.list(userId, params.id) });
};
