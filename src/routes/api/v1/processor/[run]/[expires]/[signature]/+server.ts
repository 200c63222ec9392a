// The bytes of the one file that an external processor was asked to read; the address itself is the key.
import { Readable } from 'node:stream';
import type { RequestEvent, RequestHandler } from './$types';

export const GET: RequestHandler = async (event) => {
	const { status, headers, open } = await find(event);
	const body = open && Readable.toWeb(await open());
	return new Response(body as ReadableStream | undefined, { status, headers });
};

export const HEAD: RequestHandler = async (event) => {
	const { status, headers } = await find(event);
	return new Response(null, { status, headers });
};

function find({ locals: { app }, params, request }: RequestEvent) {
	if (!app.processor) throw app.errors.problem('request.not_found');
	return app.processor.download(params, request.headers);
}
