import { redirect } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** To the provider, whichever is configured. */
export const GET: RequestHandler = async ({ locals: { app }, url, cookies, request, getClientAddress }) => {
	const { url: provider, pending } = await app.auth.begin({
		origin: url.origin,
		returnTo: url.searchParams.get('next'),
		address: app.auth.addressOf(getClientAddress(), request.headers.get('x-forwarded-for'))
	});
	cookies.set(app.auth.cookies.pending.name, pending, app.auth.cookies.pending.options);
	redirect(302, provider);
};
