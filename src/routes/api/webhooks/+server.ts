import { NewWebhookJson } from '#lib/shared/webhooks.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals }) => {
	const { auth, webhooks } = locals.app;
	const { userId } = auth.require(locals.session);
	return Response.json({ webhooks: await webhooks.list(userId) });
};

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, parse, webhooks } = locals.app;
	const { userId } = auth.require(locals.session);
	const added = await webhooks.add(userId, parse(NewWebhookJson, await request.text()));
	return Response.json(added, { status: 201 });
};
