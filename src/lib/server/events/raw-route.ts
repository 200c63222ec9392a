// GET /api/files/events, taken by the custom server before Kit sees it: a raw response needs half the memory. It passes
// by hooks.server.ts, so it asks the same guard and answers a refusal in the same words.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Auth } from '../auth/auth.ts';
import { errorBody, toAppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Visitor } from './connection.ts';
import { readVisit } from './visit.ts';

export const streamPath = '/api/files/events';

export type RawRouteDeps = {
	auth: Pick<Auth, 'guard' | 'find' | 'require'>;
	log: Log;
	open(visitor: Visitor, response: ServerResponse): void;
};

export function createRawRoute({ auth, log, open }: RawRouteDeps) {
	async function take(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
		const token = auth.guard.admit({ method: 'GET', path: url.pathname, headers: request.headers });
		const session = auth.require(await auth.find(token));
		// Gone again while the session was looked up: nobody would ever close this stream.
		if (response.destroyed) return;
		const lastEventId = request.headers['last-event-id'];
		open({ session, ...readVisit(url, typeof lastEventId === 'string' ? lastEventId : null) }, response);
	}

	function refuse(response: ServerResponse, thrown: unknown): void {
		const error = toAppError(thrown);
		const requestId = randomUUID();
		if (error.status >= 500) log.error({ err: error, requestId }, error.message);
		if (response.headersSent) return void response.destroy();
		response.writeHead(error.status, {
			'content-type': 'application/json',
			'cache-control': 'no-store',
			'x-request-id': requestId,
			...error.headers
		});
		response.end(JSON.stringify(errorBody(error, requestId)));
	}

	return (request: IncomingMessage, response: ServerResponse): boolean => {
		if (request.method !== 'GET' || !request.url?.startsWith(streamPath)) return false;
		const url = new URL(request.url, 'http://stream');
		if (url.pathname !== streamPath) return false;
		take(request, response, url).catch((error: unknown) => refuse(response, error));
		return true;
	};
}
