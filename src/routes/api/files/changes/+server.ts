import { json } from '@sveltejs/kit';
import { ChangesQuery } from '#lib/shared/events.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, request, url }) => {
	const { auth, events, parse } = locals.app;
	const session = auth.require(locals.session);
	const { user, cursor, wait } = parse(ChangesQuery, Object.fromEntries(url.searchParams));
	return json(await events.poll({ session, user, cursor, waitSeconds: wait, signal: request.signal }));
};
