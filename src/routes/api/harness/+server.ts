import { json } from '@sveltejs/kit';
import { HarnessActionJson } from '#lib/shared/harness.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals, request }) => {
	const { auth, errors, harness, parse } = locals.app;
	if (!harness) throw errors.problem('request.not_found');
	const session = auth.require(locals.session);
	const action = parse(HarnessActionJson, await request.text());
	const answer = action.do === 'crash' ? await harness.crash(session) : await harness.act(session, action);
	return json(answer, { status: 202 });
};
