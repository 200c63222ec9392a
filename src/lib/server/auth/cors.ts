// Which other origins' pages may use the API, and how the answers say so. Only /api; everything else is for our own
// pages. `*` is for programs with a key: the browser then sends no cookie, and we never tell it that it may.
import { problem } from '../errors.ts';
import type { Arrival } from './guard.ts';

export type Cors = ReturnType<typeof createCors>;

const apiPath = /^\/api(\/|$)/;
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const sent =
	'Authorization, Content-Type, Range, If-Range, If-None-Match, Last-Event-ID, Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, Upload-Defer-Length, Upload-Concat, X-Request-ID, X-HTTP-Method-Override';
const exposed =
	'Asura-File-Id, Location, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata, Content-Disposition, Content-Range, ETag, Retry-After, X-Request-Id';
const preflightSeconds = '600';

export function createCors(origins: readonly string[]) {
	const isForAll = origins.includes('*');

	function headersFor({ path, headers }: Pick<Arrival, 'path' | 'headers'>): [string, string][] {
		if (origins.length === 0 || !apiPath.test(path)) return [];
		if (isForAll) return [['access-control-allow-origin', '*'], exposing];
		const { origin } = headers;
		// A cache must not give one origin's answer to another, not even an answer that allows nothing.
		if (typeof origin !== 'string' || !origins.includes(origin)) return [['vary', 'Origin']];
		return [
			['access-control-allow-origin', origin],
			['access-control-allow-credentials', 'true'],
			exposing,
			['vary', 'Origin']
		];
	}

	return {
		headersFor,

		isPreflight: ({ method, path, headers }: Arrival): boolean =>
			method === 'OPTIONS' &&
			apiPath.test(path) &&
			headers.origin !== undefined &&
			headers['access-control-request-method'] !== undefined,

		/** Besides `headersFor`. Throws for pages that are not on the list. */
		preflight(arrival: Arrival): [string, string][] {
			const isAllowed = headersFor(arrival).some(([name]) => name === 'access-control-allow-origin');
			if (!isAllowed) throw problem('auth.foreign_origin');
			return [
				['access-control-allow-methods', methods],
				['access-control-allow-headers', sent],
				['access-control-max-age', preflightSeconds]
			];
		}
	};
}

const exposing: [string, string] = ['access-control-expose-headers', exposed];
