import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session }, params }) => ({
	file: await app.files.get(app.auth.require(session).userId, params.id)
});
