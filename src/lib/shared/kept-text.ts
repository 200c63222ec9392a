// Text that can be kept: a database takes neither NUL nor halves of characters.
import * as v from 'valibot';

/** Of JSON, all texts in it; what lies deeper than `levels` is not looked at and not kept. */
export function isKept(value: unknown, levels = 32): boolean {
	if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed();
	if (typeof value !== 'object' || value === null) return true;
	return (
		levels > 0 &&
		Object.entries(value)
			.flat()
			.every((one) => isKept(one, levels - 1))
	);
}

export const KeptText = v.pipe(
	v.string(),
	v.check((text) => isKept(text), 'Text without NUL and without halves of characters.')
);
