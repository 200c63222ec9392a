// What Kit cannot be asked, or must not be, is refused in the API's own words before it sees the request: names that are
// not ours (its static files would answer for them), addresses and methods of which it can make no request, and what is
// no HTTP at all.
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { App } from '#lib/server/app.ts';
import { errorBody, problem, toAppError, writeProblem } from '#lib/server/errors.ts';
import type { ErrorCode } from '#lib/shared/errors.ts';

const lingerMs = 10_000;
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const unreadable: Record<string, ErrorCode> = {
	HPE_HEADER_OVERFLOW: 'request.header_too_large',
	ERR_HTTP_REQUEST_TIMEOUT: 'request.timed_out'
};

/** True when the request was refused. */
export function refuseAtTheDoor(
	{ auth, log }: Pick<App, 'auth' | 'log'>,
	request: IncomingMessage,
	response: ServerResponse,
	headers: Iterable<[string, string]>
): boolean {
	try {
		const path = request.url?.split('?', 1)[0] ?? '';
		if (request.headers.host === undefined || !path.startsWith('/')) throw problem('request.invalid');
		auth.guard.checkHost({ path, headers: request.headers });
		// The Fetch standard forbids it, so Kit's request could not be made.
		if (request.method === 'TRACE')
			throw problem('request.method_not_allowed', { headers: { allow: methods } });
		return false;
	} catch (thrown) {
		const error = toAppError(thrown);
		const requestId = randomUUID();
		log.debug({ requestId, code: error.code }, 'a request was refused at the door');
		writeProblem(response, error, { requestId, headers });
		return true;
	}
}

/** Of a server's `clientError`. */
export function refuseUnreadable(cause: NodeJS.ErrnoException, socket: Duplex): void {
	if (!socket.writable || cause.code === 'ECONNRESET') return void socket.destroy();
	const error = problem(unreadable[cause.code ?? ''] ?? 'request.invalid');
	const body = JSON.stringify(errorBody(error, randomUUID()));
	socket.end(
		`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
			`Content-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\n\r\n${body}`
	);
}

/**
 * A body that was answered without being read to its end would stand in the way of the next request on this connection,
 * and a connection that is closed meanwhile loses the answer: its sender would only see that it broke. Whoever goes on
 * sending for long is cut off.
 */
export function readRestOf(request: IncomingMessage, response: ServerResponse): void {
	const isLast = /\bclose\b/i.test(request.headers.connection ?? '');
	const hasBody = request.headers['content-length'] !== undefined || 'transfer-encoding' in request.headers;
	if (isLast && hasBody) response.shouldKeepAlive = true;
	response.once('finish', () => {
		const close = () => void (isLast && request.socket.end());
		if (request.readableEnded || request.destroyed) return close();
		const timer = setTimeout(() => request.destroy(), lingerMs).unref();
		request.once('end', close).once('close', () => clearTimeout(timer));
		request.removeAllListeners('data').resume();
	});
}
