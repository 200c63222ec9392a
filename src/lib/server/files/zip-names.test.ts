import { expect, it } from 'vitest';
import { createZipNames } from './zip-names.ts';

it('never gives the same name twice, not even in another case', () => {
	const nameOf = createZipNames();
	const names = ['a.pdf', 'a.pdf', 'A.PDF', 'a (2).pdf', 'é.txt', 'e\u0301.txt', '.env', '.env'].map(nameOf);
	expect(new Set(names.map((name) => name.normalize('NFC').toLowerCase())).size).toBe(names.length);
	expect(names.slice(0, 3)).toEqual(['a.pdf', 'a (2).pdf', 'A (3).PDF']);
});

it.each([
	['../../etc/passwd', '.._.._etc_passwd'],
	['C:\\autoexec.bat', 'C__autoexec.bat'],
	['nul.txt', '_nul.txt'],
	['ends in dots...', 'ends in dots'],
	['...', 'untitled'],
	['plain name.pdf', 'plain name.pdf']
])('%s becomes %s', (given, safe) => {
	expect(createZipNames()(given)).toBe(safe);
});
