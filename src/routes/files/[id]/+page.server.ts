import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session }, params }) => {
	const { userId } = app.auth.require(session);
	const [file, details] = await Promise.all([
		app.files.get(userId, params.id),
		app.files.details(userId, params.id)
	]);
	return { file, details };
};
