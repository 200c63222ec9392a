import { fail, redirect } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session } }) => {
	const { id, userId, name, isLocal, expiresAt } = app.auth.requirePerson(session);
	const [usage, sessions, projects] = await Promise.all([
		app.files.usage(userId),
		app.auth.sessionsOf(userId),
		app.projects.list(userId)
	]);
	return {
		name,
		signedInBy: isLocal ? 'this machine' : (app.auth.providerName ?? 'this machine'),
		expiresAt: expiresAt?.toISOString(),
		usage: { ...usage, quotaBytes: app.config.userQuotaBytes },
		embedder: app.embedder,
		/** They go with the account, for their other members too. */
		ownProjects: projects.filter(({ role }) => role === 'owner').map(({ name }) => name),
		sessions: sessions.map((one) => ({ ...one, isThis: one.id === id }))
	};
};

export const actions: Actions = {
	async end({ locals: { app, session }, request }) {
		const { userId } = app.auth.requirePerson(session);
		const id = (await request.formData()).get('id');
		await app.auth.endSessions(userId, typeof id === 'string' ? id : '');
		redirect(303, '/settings');
	},
	async endAll({ locals: { app, session } }) {
		await app.auth.endSessions(app.auth.requirePerson(session).userId);
		redirect(303, '/sign-in');
	},
	async forget({ locals: { app, session }, request }) {
		const { userId, email } = app.auth.requirePerson(session);
		const typed = (await request.formData()).get('email');
		if (typeof typed !== 'string' || typed.trim().toLowerCase() !== email.toLowerCase()) {
			return fail(400, { refused: app.errors.problem('account.not_confirmed').message });
		}
		await app.forget(userId);
		redirect(303, '/sign-in');
	}
};
