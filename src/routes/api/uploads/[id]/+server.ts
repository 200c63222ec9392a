import type { RequestHandler } from './$types';

// `request` is held until the end: its signal falls silent when it is collected.
const handle: RequestHandler = async ({ locals: { app, session }, request }) =>
	await app.resumable.handle(app.auth.require(session).userId, request);

export { handle as DELETE, handle as HEAD, handle as PATCH };
