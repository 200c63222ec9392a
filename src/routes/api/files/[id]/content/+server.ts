import { Readable } from 'node:stream';
import { ContentQuery } from '#lib/shared/api.ts';
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

function find({ locals, params, url, request }: RequestEvent) {
	const { auth, files, parse } = locals.app;
	const { userId } = auth.require(locals.session);
	const { variant, inline } = parse(ContentQuery, Object.fromEntries(url.searchParams));
	return files.content({ userId, id: params.id, variant, isInline: inline, headers: request.headers });
}
