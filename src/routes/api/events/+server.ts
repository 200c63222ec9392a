// For operators, and for programs that act for one: a named event to whoever shall hear it.
import { json } from '@sveltejs/kit';
import { EventToSendJson } from '#lib/shared/named-events.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, events, parse } = locals.app;
	auth.requireOperator(locals.session);
	return json(await events.send(parse(EventToSendJson, await request.text())), { status: 202 });
};
