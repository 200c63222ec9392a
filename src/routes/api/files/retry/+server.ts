import { RetryAllBody } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, files, parse } = locals.app;
	const { userId } = auth.require(locals.session);
	parse(RetryAllBody, await request.text());
	return Response.json({ files: await files.retryFailed(userId) }, { status: 202 });
};
