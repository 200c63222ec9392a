// Reports of an external processor (docs/processors.md): a key of their own instead of a session.
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals: { app }, request, url, getClientAddress }) => {
	if (!app.processor) throw app.errors.problem('request.not_found');
	const result = await app.processor.report({
		headers: request.headers,
		address: getClientAddress(),
		run: url.searchParams.get('run'),
		read: () => request.text()
	});
	return Response.json({ result });
};
