import { WebhookChangeJson } from '#lib/shared/webhooks.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params }) => {
	const { auth, webhooks } = locals.app;
	const { userId } = auth.require(locals.session);
	return Response.json(await webhooks.get(userId, params.id));
};

export const PATCH: RequestHandler = async ({ locals, params, request }) => {
	const { auth, parse, webhooks } = locals.app;
	const { userId } = auth.require(locals.session);
	const change = parse(WebhookChangeJson, await request.text());
	return Response.json(await webhooks.change(userId, params.id, change));
};

export const DELETE: RequestHandler = async ({ locals, params }) => {
	const { auth, webhooks } = locals.app;
	const { userId } = auth.require(locals.session);
	await webhooks.remove(userId, params.id);
	return new Response(null, { status: 204 });
};
