import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = ({ locals: { app, session } }) => ({
	person: session ? { id: session.userId, email: session.email, isAdmin: session.isAdmin } : undefined,
	maxFileBytes: app.config.maxFileBytes
});
