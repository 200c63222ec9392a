import { redirect } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ locals: { app }, request, cookies }) => {
	const { name, options } = app.auth.cookies.session;
	await app.auth.signOut(cookies.get(name));
	cookies.delete(name, options);
	if (request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded')) {
		redirect(303, '/sign-in');
	}
	return new Response(null, { status: 204 });
};
