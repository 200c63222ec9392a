import type { RequestHandler } from './$types';

/** For an EventSource of another origin, which can send neither header nor cookie. */
export const POST: RequestHandler = async ({ locals }) =>
	Response.json(await locals.app.auth.makeTicket(locals.session), { status: 201 });
