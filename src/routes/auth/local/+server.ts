import { redirect } from '@sveltejs/kit';
import * as v from 'valibot';
import { LocalSignIn } from '#lib/shared/api.ts';
import type { RequestHandler } from './$types';

const LocalSignInJson = v.pipe(v.string(), v.parseJson(), LocalSignIn);

/** Signs in on the machine itself: programs with JSON, people with the page's button. */
export const POST: RequestHandler = async ({ locals: { app }, request, cookies, getClientAddress }) => {
	const headers = Object.fromEntries(request.headers);
	if (!app.auth.isLocalOpen || !app.auth.guard.isFromThisMachine({ headers, address: getClientAddress() })) {
		throw app.errors.problem('auth.not_configured');
	}
	const text = await request.text();
	const form = headers['content-type']?.startsWith('application/x-www-form-urlencoded')
		? new URLSearchParams(text)
		: undefined;
	const { email } = form
		? app.parse(LocalSignIn, { email: form.get('email') ?? 'owner@localhost' })
		: app.parse(LocalSignInJson, text);
	const { name, options } = app.auth.cookies.session;
	const { token } = await app.auth.signInLocally(email, headers['user-agent'] ?? '', cookies.get(name));
	cookies.set(name, token, options);
	if (form) redirect(303, app.auth.returnPath(form.get('next')));
	return new Response(null, { status: 204 });
};
