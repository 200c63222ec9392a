// GET /api/files/events, taken by the custom server before Kit sees it: a raw response needs half the memory. It passes
// by hooks.server.ts, so it asks the same guard and answers a refusal in the same words.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Auth } from '../auth/auth.ts';
import type { Arrival } from '../auth/guard.ts';
import { toAppError, writeProblem } from '../errors.ts';
import { ownScope } from '../files/reach.ts';
import type { Log } from '../log.ts';
import type { Visitor } from './connection.ts';
import { readVisit } from './visit.ts';

export const streamPath = '/api/files/events';

/** What every answer of this server says. */
type Headers = Iterable<[string, string]>;

export type RawRouteDeps = {
	auth: Pick<Auth, 'guard' | 'cors' | 'identify' | 'require' | 'addressOf' | 'limitRate'>;
	log: Log;
	open(visitor: Visitor, response: ServerResponse, headers: Headers): void;
};

export function createRawRoute({ auth, log, open }: RawRouteDeps) {
	async function take(
		arrival: Arrival,
		response: ServerResponse,
		url: URL,
		{ address, common }: { address: string; common: Headers }
	): Promise<void> {
		const { method, path, headers } = arrival;
		const credential = auth.guard.admit(arrival);
		const found = await auth.identify(credential, { method, path, address: () => address });
		auth.limitRate({ session: found, address });
		const session = auth.require(found);
		// Gone again while the session was looked up: nobody would ever close this stream.
		if (response.destroyed) return;
		const given = headers['last-event-id'];
		const visit = readVisit(url, typeof given === 'string' ? given : null);
		open({ session, scope: ownScope(session.userId), ...visit }, response, common);
	}

	function refuse(response: ServerResponse, thrown: unknown, requestId: string, headers: Headers): void {
		const error = toAppError(thrown);
		if (error.status >= 500) log.error({ err: error, requestId }, error.message);
		if (response.headersSent) return void response.destroy();
		writeProblem(response, error, { requestId, headers });
	}

	return (request: IncomingMessage, response: ServerResponse, headers: Headers = []): boolean => {
		if (request.method !== 'GET' || !request.url?.startsWith(streamPath)) return false;
		const url = new URL(request.url, 'http://stream');
		if (url.pathname !== streamPath) return false;
		const arrival = { method: 'GET', path: streamPath, query: url.search, headers: headersOf(request) };
		const requestId = randomUUID();
		const common: [string, string][] = [
			...headers,
			...auth.cors.headersFor(arrival),
			['x-request-id', requestId]
		];
		const address = auth.addressOf(request.socket.remoteAddress ?? '', arrival.headers['x-forwarded-for']);
		take(arrival, response, url, { address, common }).catch((error: unknown) =>
			refuse(response, error, requestId, common)
		);
		return true;
	};
}

/** `request.headers` would be kept for as long as the stream is open: a kilobyte for each connection. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
	const headers: Record<string, string> = {};
	for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
		const name = rawHeaders[at]?.toLowerCase() ?? '';
		const value = rawHeaders[at + 1] ?? '';
		// As Node does it: cookies are joined, of others the first counts.
		if (name === 'cookie' && headers.cookie) headers.cookie += `; ${value}`;
		else headers[name] ??= value;
	}
	return headers;
}
