import { ListQuery } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, url }) => {
	const { auth, files, parse } = locals.app;
	const { userId } = auth.require(locals.session);
	const query = parse(ListQuery, Object.fromEntries(url.searchParams));
	return Response.json(await files.list(userId, query));
};
