import { json } from '@sveltejs/kit';
import { ChangesQuery } from '#lib/shared/events.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async ({ locals, params, request, url }) => {
	const { auth, events, parse, projects } = locals.app;
	const session = auth.require(locals.session);
	const { user, cursor, wait } = parse(ChangesQuery, Object.fromEntries(url.searchParams));
	const scope = await projects.reach(session.userId, params.id);
	return json(await events.poll({ session, scope, user, cursor, waitSeconds: wait, signal: request.signal }));
};
