import { json } from '@sveltejs/kit';
import { NewProjectJson } from '#lib/shared/projects.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals }) => {
	const { auth, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	return json({ projects: await projects.list(userId) });
};

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, parse, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	const { name } = parse(NewProjectJson, await request.text());
	return json(await projects.add(userId, name), { status: 201 });
};
