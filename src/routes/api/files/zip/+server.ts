import { Readable } from 'node:stream';
import { ManyBody, ManyForm } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

/** Programs send JSON; the page a form, so that the browser writes the archive to disk as it comes. */
export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, files, parse } = locals.app;
	const { userId } = auth.require(locals.session);
	const text = await request.text();
	const isForm = request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded');
	const { ids } = isForm
		? parse(ManyForm, Object.fromEntries(new URLSearchParams(text)))
		: parse(ManyBody, text);
	const archive = await files.zip(userId, ids);
	return new Response(Readable.toWeb(archive) as ReadableStream, {
		headers: {
			'content-type': 'application/zip',
			'content-disposition': 'attachment; filename="asura-files.zip"'
		}
	});
};
