import type { RequestHandler } from './$types';

/** For the machine's own scraper and for operators; to everybody else there is nothing here. */
export const GET: RequestHandler = async ({ locals: { app, session }, request, getClientAddress }) => {
	const headers = Object.fromEntries(request.headers);
	const isOperator = session?.isAdmin === true;
	if (!isOperator && !app.auth.guard.isFromThisMachine({ headers, address: getClientAddress() })) {
		throw app.errors.problem('request.not_found');
	}
	const { registry } = app.metrics;
	return new Response(await registry.metrics(), { headers: { 'content-type': registry.contentType } });
};
