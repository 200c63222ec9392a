import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, uploads } = locals.app;
	const { userId } = auth.require(locals.session);
	const body = request.body ? Readable.fromWeb(request.body as ReadableStream) : Readable.from([]);
	const contentType = request.headers.get('content-type');
	// `request` is held until the end: its signal falls silent when it is collected.
	const answer = await uploads.receive({ userId, body, contentType, signal: request.signal });
	return Response.json(answer, { status: 201 });
};
