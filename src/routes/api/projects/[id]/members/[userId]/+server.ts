import { json } from '@sveltejs/kit';
import { MemberChangeJson } from '#lib/shared/projects.ts';
import type { RequestHandler } from './$types';

export const PATCH: RequestHandler = async ({ locals, params, request }) => {
	const { auth, parse, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	const { role } = parse(MemberChangeJson, await request.text());
	return json(await projects.members.setRole(userId, params.id, params.userId, role));
};

export const DELETE: RequestHandler = async ({ locals, params }) => {
	const { auth, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	await projects.members.remove(userId, params.id, params.userId);
	return new Response(null, { status: 204 });
};
