import { KnownBody } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, files, parse, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	const { sha256, project } = parse(KnownBody, await request.text());
	const scopeId = project === undefined ? userId : (await projects.reach(userId, project)).id;
	return Response.json({ files: await files.known(userId, sha256, scopeId) });
};
