import { RetryManyBody } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, files, parse } = locals.app;
	const { userId } = auth.require(locals.session);
	const which = parse(RetryManyBody, await request.text());
	const answer =
		'ids' in which ? await files.retryMany(userId, which.ids) : { files: await files.retryFailed(userId) };
	return Response.json(answer, { status: 202 });
};
