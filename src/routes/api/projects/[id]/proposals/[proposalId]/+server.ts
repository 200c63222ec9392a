import { json } from '@sveltejs/kit';
import { ProposalChangeJson } from '#lib/shared/projects.ts';
import type { RequestHandler } from './$types';

export const PATCH: RequestHandler = async ({ locals, params, request }) => {
	const { auth, parse, projects } = locals.app;
	const { userId } = auth.require(locals.session);
	const change = parse(ProposalChangeJson, await request.text());
	return json(await projects.proposals.change(userId, params.id, params.proposalId, change));
};
