import { expect, it } from 'vitest';
import { returnPath } from './return-path.ts';

it('keeps paths of this site, with what follows them', () => {
	for (const path of ['/', '/files/1', '/search?q=a%2Fb&x=//y', '/a#b', '/a//b', '/ä']) {
		expect(returnPath(path)).toBe(new URL(path, 'http://x').href.slice('http://x'.length));
	}
});

it('leads home instead of to another site', () => {
	const elsewhere = [
		'https://evil.example/',
		'//evil.example',
		'/\\evil.example',
		'\\\\evil.example',
		'/\t/evil.example',
		'/\n/evil.example',
		'/.//evil.example',
		'/a/..//evil.example',
		'/%2e//evil.example',
		'javascript:alert(1)',
		'evil.example',
		'',
		null,
		undefined
	];
	for (const path of elsewhere) expect(returnPath(path)).toBe('/');
});
