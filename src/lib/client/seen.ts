import type { Outside } from './outside.ts';

/** Tells the server that it need not keep this notification. If that fails, it comes again with the next connection. */
export function confirmSeen(outside: Pick<Outside, 'fetch'>, id: string): void {
	const headers = { 'content-type': 'application/json' };
	const body = JSON.stringify({ ids: [id] });
	outside.fetch('/api/events/seen', { method: 'POST', headers, body }).catch(() => undefined);
}
