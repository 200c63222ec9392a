import { DeliveriesQuery } from '#lib/shared/webhooks.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params, url }) => {
	const { auth, parse, webhooks } = locals.app;
	const { userId } = auth.require(locals.session);
	const query = parse(DeliveriesQuery, Object.fromEntries(url.searchParams));
	return Response.json(await webhooks.deliveries(userId, params.id, query));
};
