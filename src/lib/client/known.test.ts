import { describe, expect, it } from 'vitest';
import { aFile } from '../../../tests/support/a-file.ts';
import { createCheck } from './known.ts';

const hash = async (file: File) => (file.name === 'gone.txt' ? undefined : `hash of ${await file.text()}`);
const file = (content: string, name = 'a.txt') => new File([content], name);

describe('what is there already', () => {
	it('is asked for together, each hash once', async () => {
		const asked: (readonly string[])[] = [];
		const known = aFile({ sha256: 'hash of tides' });
		const check = createCheck({
			hash,
			ask: async (hashes) => {
				asked.push(hashes);
				return [known];
			}
		});
		const found = await Promise.all([file('tides'), file('winds'), file('tides')].map(check));
		expect(found.map((one) => one.known)).toEqual([known, undefined, known]);
		expect(asked).toEqual([['hash of tides', 'hash of winds']]);
	});

	it('holds nothing up when it cannot be asked, or a file cannot be read', async () => {
		const check = createCheck({ hash, ask: () => Promise.reject(new Error('offline')) });
		expect(await check(file('tides'))).toEqual({ sha256: 'hash of tides', known: undefined });
		expect(await check(file('', 'gone.txt'))).toEqual({ sha256: undefined, known: undefined });
	});
});
