import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session }, params }) => {
	const { userId } = app.auth.require(session);
	const [file, details, projectId] = await Promise.all([
		app.files.get(userId, params.id),
		app.files.details(userId, params.id),
		app.files.projectOf(userId, params.id)
	]);
	const project = projectId === undefined ? undefined : await app.projects.get(userId, projectId);
	return { file, details, project };
};
