import { KeyToMakeJson } from '#lib/shared/keys.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals }) =>
	Response.json({ keys: await locals.app.auth.listKeys(locals.session) });

/** The key itself is in this answer and nowhere else. */
export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, parse } = locals.app;
	auth.requirePerson(locals.session);
	const made = await auth.makeKey(locals.session, parse(KeyToMakeJson, await request.text()));
	return Response.json(made, { status: 201 });
};
