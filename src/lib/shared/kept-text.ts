// Text that can be kept: a database takes neither NUL nor halves of characters.
import * as v from 'valibot';

export const keptWords = 'Text without NUL and without halves of characters.';

/** Of JSON, all texts in it. */
export function isKept(value: unknown): boolean {
	if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed();
	if (typeof value !== 'object' || value === null) return true;
	return Object.entries(value).every((entry) => entry.every(isKept));
}

export const KeptText = v.pipe(v.string(), v.check(isKept, keptWords));
