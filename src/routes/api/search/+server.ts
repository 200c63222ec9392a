import { json } from '@sveltejs/kit';
import { SearchQuery } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, url }) => {
	const { auth, parse, projects, search } = locals.app;
	const { userId } = auth.require(locals.session);
	const query = parse(SearchQuery, Object.fromEntries(url.searchParams));
	if (query.project) await projects.reach(userId, query.project);
	return json(await search.find(userId, query), { headers: { 'cache-control': 'no-store' } });
};
