import { redirect } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** Back from the provider. */
export const GET: RequestHandler = async ({ locals: { app }, url, cookies, request, getClientAddress }) => {
	const { pending, session } = app.auth.cookies;
	const kept = cookies.get(pending.name);
	// Good for one try, whatever comes of it.
	cookies.delete(pending.name, pending.options);
	const { token, returnTo } = await app.auth.finish({
		callback: url,
		pending: kept,
		address: app.auth.addressOf(getClientAddress(), request.headers.get('x-forwarded-for')),
		userAgent: request.headers.get('user-agent') ?? '',
		previousToken: cookies.get(session.name)
	});
	cookies.set(session.name, token, session.options);
	redirect(303, returnTo);
};
