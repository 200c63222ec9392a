// Conditional and range requests, as RFC 9110 has them.
import type { ByteRange } from '../platform/platform.ts';

/** `undefined`: send everything, also when several ranges are asked for or the header is not understood. */
export function parseRange(header: string | null, bytes: number): ByteRange | 'unsatisfiable' | undefined {
	const match = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? '');
	if (!match || (match[1] === '' && match[2] === '')) return undefined;
	const [, first = '', last = ''] = match;
	if (first === '') {
		const length = Math.min(Number(last), bytes);
		return length === 0 ? 'unsatisfiable' : { start: bytes - length, end: bytes - 1 };
	}
	const start = Number(first);
	const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
	if (last !== '' && Number(last) < start) return undefined;
	return start >= bytes ? 'unsatisfiable' : { start, end };
}

/** If-None-Match: the client has this version. */
export function isFresh(header: string | null, etag: string): boolean {
	if (header === null) return false;
	return header.split(',').some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '')));
}

/** If-Range, which needs a strong validator; we send no dates. */
export function isSameVersion(header: string, etag: string): boolean {
	return header.trim() === etag;
}
