import { json } from '@sveltejs/kit';
import { NewProjectJson } from '#lib/shared/projects.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params }) => {
	const { auth, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	return json(await projects.get(userId, params.id));
};

export const PATCH: RequestHandler = async ({ locals, params, request }) => {
	const { auth, parse, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	const { name } = parse(NewProjectJson, await request.text());
	return json(await projects.rename(userId, params.id, name));
};

export const DELETE: RequestHandler = async ({ locals, params }) => {
	const { auth, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	await projects.remove(userId, params.id);
	return new Response(null, { status: 204 });
};
