import type { RequestHandler } from './$types';

/** Ready: database, storage and queue answer. */
export const GET: RequestHandler = async ({ locals: { app } }) => {
	return Response.json(await app.readiness());
};
