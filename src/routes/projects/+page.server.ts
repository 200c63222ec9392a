// The projects of a person, and the invitations that wait for her.
import { fail, redirect } from '@sveltejs/kit';
import { NewProject } from '#lib/shared/projects.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session } }) => {
	const person = app.auth.require(session);
	const [projects, invitations] = await Promise.all([
		app.projects.list(person.userId),
		app.projects.invitations.listFor(person)
	]);
	return { projects, invitations };
};

export const actions: Actions = {
	async add({ locals: { app, session }, request }) {
		const { userId } = app.auth.require(session);
		const { name } = app.parse(NewProject, Object.fromEntries(await request.formData()));
		const { id } = await app.projects.add(userId, name);
		redirect(303, `/projects/${id}`);
	},
	async accept({ locals: { app, session }, request }) {
		const person = app.auth.require(session);
		const invitation = String((await request.formData()).get('id'));
		let id: string;
		try {
			id = await app.projects.invitations.accept(person, invitation);
		} catch (error) {
			const { status, message } = app.errors.toAppError(error);
			if (status >= 500) throw error;
			return fail(status, { message });
		}
		redirect(303, `/projects/${id}`);
	},
	async decline({ locals: { app, session }, request }) {
		const person = app.auth.require(session);
		await app.projects.invitations.decline(person, String((await request.formData()).get('id')));
		redirect(303, '/projects');
	}
};
