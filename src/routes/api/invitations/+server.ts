import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals }) => {
	const { auth, projects } = locals.app;
	return json({ invitations: await projects.invitations.listFor(auth.require(locals.session)) });
};
