import { KnownBody } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, files, parse } = locals.app;
	const { userId } = auth.require(locals.session);
	const { sha256 } = parse(KnownBody, await request.text());
	return Response.json({ files: await files.known(userId, sha256) });
};
