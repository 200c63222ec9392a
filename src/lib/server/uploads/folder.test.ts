import { describe, expect, it } from 'vitest';
import { folderOf, toFolder } from './folder.ts';

describe('the folder of a file', () => {
	it.each([
		['', ''],
		['Trips', 'Trips'],
		['Trips/2026/May/', 'Trips/2026/May'],
		['Ru\u0308gen/\u202eevil', 'Rügen/evil'],
		['a'.repeat(500), 'a'.repeat(500)]
	])('%j is kept as %j', (given, kept) => expect(toFolder(given)).toBe(kept));

	it.each(['..', 'a/../b', './a', 'a//b', '/etc', 'C:/Users', 'a\\b', 'a/'.repeat(21), 'a'.repeat(501)])(
		'%j is none',
		(given) => expect(toFolder(given)).toBeUndefined()
	);

	it('is taken from a name with a way in it, if that is a way', () => {
		expect(['a.txt', 'b/a.txt', '../a.txt', '/etc/passwd', undefined].map(folderOf)).toEqual([
			'',
			'b',
			'',
			'',
			''
		]);
	});
});
