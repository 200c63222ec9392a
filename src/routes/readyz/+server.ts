import type { RequestHandler } from './$types';

/** Ready: database, storage and queue answer. */
export const GET: RequestHandler = async ({ locals: { app } }) => {
	const parts = await app.ready();
	const isReady = Object.values(parts).every((state) => state === 'ok');
	if (!isReady) throw app.errors.problem('server.unavailable', { details: { parts } });
	return Response.json({ status: 'ok', parts });
};
