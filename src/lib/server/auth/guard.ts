// Who may talk to us at all: judged from method, path and headers alone, before anything is read or looked up.
//
// Host: a page elsewhere can point its own name at our address (DNS rebinding); it is stopped by answering only for
// names that are ours. Origin: a page elsewhere can make the browser send our cookie; it is stopped by demanding our
// own Origin for every write that comes with the cookie. A key comes in a header that no page elsewhere can send
// unless it is on the list of cors.ts, so it needs no Origin. hooks.server.ts and the raw stream route ask the same guard.
import { limits } from '#lib/shared/limits.ts';
import { type Config, isLoopbackHost } from '../config.ts';
import { problem } from '../errors.ts';
import { readSessionToken } from './cookies.ts';
import { isKey } from './tokens.ts';

export type Arrival = {
	method: string;
	path: string;
	/** What follows the path, with its question mark. */
	query?: string;
	/** Names in lower case, as Node and Headers give them. */
	headers: Readonly<Record<string, string | string[] | undefined>>;
};
/** What somebody brings to be known by. */
export type Credential = { kind: 'session' | 'key' | 'ticket'; token: string };
export type Guard = ReturnType<typeof createGuard>;

const maxBodyBytes = 64 * 1024;
/** Reports of an external processor bring the text of a file. Their sender is known before they are read. */
const reports = '/api/v1/events/webhook/document-processing';
const readMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const healthPaths = new Set(['/healthz', '/readyz', '/metrics']);
const forwardingHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host'];
/** Their bodies are streamed and bounded while they arrive; the last are the pages' forms without JavaScript. */
const uploads = /^(\/api\/files\/upload|\/api\/uploads(\/[^?]*)?)(\?|$)|^\/(projects\/[^/?]+)?\?\/upload$/;

/** Where a program may bring a key; pages are for people. */
const keyPaths = /^\/(api|metrics)(\/|$)/;
/** What an EventSource can open: it can send no header. */
const ticketPaths = /^\/api\/(files\/events|files\/[^/]+\/events|projects\/[^/]+\/(status|events))$/;
/** Names under which keys are put into addresses elsewhere. */
const keyNames = new Set(['access_token', 'api_key', 'apikey', 'authorization', 'token']);

export function createGuard(config: Pick<Config, 'host' | 'origin' | 'isLoopback'>) {
	const own = config.origin === undefined ? undefined : new URL(config.origin);

	// Who listens on every address has no name yet: say to the operator what is missing.
	const unknownName =
		own || config.isLoopback
			? {}
			: { message: 'This server does not know that name; its operator can set ORIGIN.' };

	function isOurHost(host: URL, path: string): boolean {
		if (own) return host.host === own.host || (healthPaths.has(path) && isLoopbackHost(host.hostname));
		if (isLoopbackHost(host.hostname)) return true;
		return !config.isLoopback && host.hostname === bracketed(config.host);
	}

	function checkOrigin({ method, headers }: Arrival, host: URL, by: Credential | undefined): void {
		if (readMethods.has(method) || by?.kind === 'key') return;
		const origin = one(headers.origin);
		if (origin === (own ?? host).origin) return;
		// Browsers send Origin with every write. A program without one has no cookie to be abused, or is refused.
		if (origin === undefined && by === undefined) return;
		throw problem('auth.foreign_origin');
	}

	/** Throws unless the request was sent to a name of ours. */
	function checkHost({ path, headers }: Pick<Arrival, 'path' | 'headers'>): URL {
		const host = parseHost(one(headers.host), own?.protocol ?? 'http:');
		if (!host || !isOurHost(host, path)) throw problem('request.wrong_host', unknownName);
		return host;
	}

	return {
		checkHost,

		/** What the request brings to be known by, if anything. Throws when the request must not go on. */
		admit(arrival: Arrival): Credential | undefined {
			const host = checkHost(arrival);
			const credential = readCredential(arrival);
			checkOrigin(arrival, host, credential);
			checkSize(arrival);
			return credential;
		},

		/** Nobody else stands behind the loopback peer, as far as one can tell: a proxy says whom it speaks for. */
		isFromThisMachine({ headers, address }: { headers: Arrival['headers']; address: string }): boolean {
			const host = parseHost(one(headers.host), 'http:');
			const isForwarded = forwardingHeaders.some((name) => headers[name] !== undefined);
			return (
				!isForwarded &&
				isLoopbackHost(address.replace(/^::ffff:/, '')) &&
				isLoopbackHost(host?.hostname ?? '')
			);
		}
	};
}

/** What is said on purpose counts before the cookie, which browsers send by themselves. */
function readCredential({ path, query = '', headers }: Arrival): Credential | undefined {
	const ticket = keyPaths.test(path) ? readTicket(path, new URLSearchParams(query)) : undefined;
	const key = keyPaths.test(path) ? readBearer(one(headers.authorization)) : undefined;
	if (key !== undefined) return { kind: 'key', token: key };
	if (ticket !== undefined) return { kind: 'ticket', token: ticket };
	const session = readSessionToken(one(headers.cookie));
	return session === undefined ? undefined : { kind: 'session', token: session };
}

/** Addresses are written down in many places: what is good for longer than a moment must not stand in one. */
function readTicket(path: string, query: URLSearchParams): string | undefined {
	for (const [name, value] of query)
		if (isKey(value) || keyNames.has(name.toLowerCase())) throw problem('auth.key_in_url');
	const ticket = query.get('ticket') ?? undefined;
	if (ticket !== undefined && !ticketPaths.test(path)) throw problem('auth.ticket_misplaced');
	return ticket;
}

/** Other schemes are not for us: a proxy in front may ask for a password of its own. */
function readBearer(header: string | undefined): string | undefined {
	return /^bearer(?: +(.*))?$/i
		.exec(header?.trim() ?? '')
		?.slice(1)
		.map((token) => token ?? '')[0];
}

/** Uploads apart, bodies are read whole: they must say their size, and be small. */
function checkSize({ method, path, query = '', headers }: Arrival): void {
	if (readMethods.has(method) || uploads.test(path + query)) return;
	const isUnsized = headers['transfer-encoding'] !== undefined;
	const maxBytes = path === reports ? limits.processorReportBytes : maxBodyBytes;
	if (isUnsized || Number(one(headers['content-length']) ?? 0) > maxBytes) throw problem('request.too_large');
}

function parseHost(host: string | undefined, protocol: string): URL | undefined {
	if (!host || /[^\w.:[\]-]/.test(host) || !URL.canParse(`${protocol}//${host}`)) return undefined;
	return new URL(`${protocol}//${host}`);
}

function bracketed(host: string): string {
	return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host.toLowerCase();
}

function one(value: string | string[] | undefined): string | undefined {
	return Array.isArray(value) ? value[0] : value;
}
