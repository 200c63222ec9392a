// Who may talk to us at all: judged from method, path and headers alone, before anything is read or looked up.
//
// Host: a page elsewhere can point its own name at our address (DNS rebinding); it is stopped by answering only for
// names that are ours. Origin: a page elsewhere can make the browser send our cookie; it is stopped by demanding our
// own Origin for every write that comes with the cookie. hooks.server.ts and the raw stream route ask the same guard.
import { type Config, isLoopbackHost } from '../config.ts';
import { problem } from '../errors.ts';
import { readSessionToken } from './cookies.ts';

export type Arrival = {
	method: string;
	path: string;
	/** What follows the path, with its question mark. */
	query?: string;
	/** Names in lower case, as Node and Headers give them. */
	headers: Readonly<Record<string, string | string[] | undefined>>;
};
export type Guard = ReturnType<typeof createGuard>;

const maxBodyBytes = 64 * 1024;
const readMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const healthPaths = new Set(['/healthz', '/readyz', '/metrics']);
const forwardingHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host'];
/** Their bodies are streamed and bounded while they arrive; the last is the page's form without JavaScript. */
const uploads = /^(\/api\/files\/upload|\/api\/uploads(\/[^?]*)?)(\?|$)|^\/\?\/upload$/;

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

	function checkOrigin({ method, headers }: Arrival, host: URL, token: string | undefined): void {
		if (readMethods.has(method)) return;
		const origin = one(headers.origin);
		if (origin === (own ?? host).origin) return;
		// Browsers send Origin with every write. A program without one has no cookie to be abused, or is refused.
		if (origin === undefined && token === undefined) return;
		throw problem('auth.foreign_origin');
	}

	return {
		/** Returns the session's token, if the request has one. Throws when the request must not go on. */
		admit(arrival: Arrival): string | undefined {
			const host = parseHost(one(arrival.headers.host), own?.protocol ?? 'http:');
			if (!host || !isOurHost(host, arrival.path)) throw problem('request.wrong_host', unknownName);
			const token = readSessionToken(one(arrival.headers.cookie));
			checkOrigin(arrival, host, token);
			checkSize(arrival);
			return token;
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

/** Uploads apart, bodies are read whole: they must say their size, and be small. */
function checkSize({ method, path, query = '', headers }: Arrival): void {
	if (readMethods.has(method) || uploads.test(path + query)) return;
	const isUnsized = headers['transfer-encoding'] !== undefined;
	if (isUnsized || Number(one(headers['content-length']) ?? 0) > maxBodyBytes)
		throw problem('request.too_large');
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
