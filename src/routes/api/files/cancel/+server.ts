import { ManyBody } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, files, parse } = locals.app;
	const { userId } = auth.require(locals.session);
	const { ids } = parse(ManyBody, await request.text());
	return Response.json(await files.cancelMany(userId, ids));
};
