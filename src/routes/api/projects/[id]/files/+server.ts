import { json } from '@sveltejs/kit';
import { ListQuery } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params, url }) => {
	const { auth, files, parse, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	const query = parse(ListQuery, Object.fromEntries(url.searchParams));
	const scope = await projects.reach(userId, params.id);
	return json(await files.list(userId, query, scope.id));
};
