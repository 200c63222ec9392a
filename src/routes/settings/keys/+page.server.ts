// Keys for the person's own programs. Plain forms: the page works without JavaScript.
import { fail } from '@sveltejs/kit';
import { KeyForm } from '#lib/shared/keys.ts';
import { findProblem } from '#lib/shared/errors.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { app, session }, url }) => ({
	keys: await app.auth.listKeys(session),
	isOperator: app.auth.requirePerson(session).isAdmin,
	origin: app.config.origin ?? url.origin
});

export const actions: Actions = {
	async make({ locals: { app, session }, request }) {
		const form = await request.formData();
		try {
			const wanted = app.parse(KeyForm, {
				name: form.get('name'),
				scopes: form.getAll('scope'),
				expires_at: form.get('days')
			});
			return { made: await app.auth.makeKey(session, wanted), failure: undefined };
		} catch (error) {
			const { code, status, message } = app.errors.toAppError(error);
			if (status >= 500) throw error;
			const action = findProblem(code)?.action ?? '';
			const said =
				code === 'request.invalid'
					? 'A key needs a name, and at least one thing that it may do.'
					: `${message} ${action}`;
			return fail(status, { made: undefined, failure: said });
		}
	},

	async revoke({ locals: { app, session }, request }) {
		const id = (await request.formData()).get('id');
		await app.auth.revokeKey(session, typeof id === 'string' ? id : '');
	}
};
