import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toFilename } from './filename.ts';

describe('a file’s name', () => {
	it.each([
		['C:\\Users\\ada\\report.pdf', 'report.pdf'],
		['  spaced .txt ', 'spaced .txt'],
		['e\u0301.txt', 'é.txt'],
		['a\u0000b\r\nc.txt', 'abc.txt'],
		['.gitignore', '.gitignore'],
		['', 'untitled'],
		['..', 'untitled'],
		['/', 'untitled'],
		[undefined, 'untitled'],
		[`${'x'.repeat(300)}.${'y'.repeat(30)}`, 'x'.repeat(255)],
		[`${'🎉'.repeat(300)}.txt`, `${'🎉'.repeat(251)}.txt`]
	])('%j is kept as %j', (given, name) => {
		expect(toFilename(given)).toBe(name);
	});

	it('always fits its column and never names a folder', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (given) => {
				const name = toFilename(given);
				expect([...name].length).toBeGreaterThan(0);
				expect([...name].length).toBeLessThanOrEqual(255);
				expect(name).not.toMatch(/[/\\\p{Cc}]/u);
				expect(toFilename(name)).toBe(name);
			})
		);
	});
});
