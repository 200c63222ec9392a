import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { UploadQuery } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request, url }) => {
	const { auth, parse, projects, uploads } = locals.app;
	const { userId } = auth.require(locals.session);
	const { project } = parse(UploadQuery, Object.fromEntries(url.searchParams));
	const into = project === undefined ? undefined : await projects.reach(userId, project, 'editor');
	const body = request.body ? Readable.fromWeb(request.body as ReadableStream) : Readable.from([]);
	const contentType = request.headers.get('content-type');
	// `request` is held until the end: its signal falls silent when it is collected.
	const answer = await uploads.receive({ userId, into, body, contentType, signal: request.signal });
	return Response.json(answer, { status: 201 });
};
