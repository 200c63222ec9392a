import type { RequestHandler } from './$types';

/** Alive: this process answers. Says nothing of what it depends on, so that a slow database restarts nobody. */
export const GET: RequestHandler = () => Response.json({ status: 'ok' });
