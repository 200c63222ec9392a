import { redirect } from '@sveltejs/kit';
import { findProblem } from '#lib/shared/errors.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ locals: { app, session }, url }) => {
	const next = app.auth.returnPath(url.searchParams.get('next'));
	if (session) redirect(303, next);
	const problem = findProblem(url.searchParams.get('error'));
	return {
		next,
		isLocalOpen: app.auth.isLocalOpen,
		providerName: app.auth.providerName,
		problem: problem && { message: problem.message, action: problem.action }
	};
};
