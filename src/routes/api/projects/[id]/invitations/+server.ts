import { json } from '@sveltejs/kit';
import { NewInvitationJson } from '#lib/shared/projects.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params }) => {
	const { auth, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	return json({ invitations: await projects.invitations.list(userId, params.id) });
};

export const POST: RequestHandler = async ({ locals, params, request }) => {
	const { auth, parse, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	const { email, role } = parse(NewInvitationJson, await request.text());
	return json(await projects.invitations.add(userId, params.id, email, role), { status: 201 });
};
