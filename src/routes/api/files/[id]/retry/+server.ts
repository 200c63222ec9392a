import { RetryBody } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, params, request }) => {
	const { auth, files, parse } = locals.app;
	const { userId } = auth.require(locals.session);
	const how = parse(RetryBody, await request.text());
	return Response.json(await files.retry(userId, params.id, how), { status: 202 });
};
