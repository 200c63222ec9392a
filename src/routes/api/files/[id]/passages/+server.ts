import { PassagesQuery } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params, url }) => {
	const { auth, files, parse } = locals.app;
	const { userId } = auth.require(locals.session);
	const { after } = parse(PassagesQuery, Object.fromEntries(url.searchParams));
	return Response.json(await files.passages(userId, params.id, after));
};
