import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ locals: { app, session } }) => {
	if (!app.harness) throw app.errors.problem('request.not_found');
	const { userId, isAdmin } = app.auth.require(session);
	return { userId, isAdmin };
};
