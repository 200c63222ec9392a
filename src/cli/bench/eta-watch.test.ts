import { expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { aFile } from '../../../tests/support/a-file.ts';
import { createEtaWatch } from './eta-watch.ts';

it('compares what was said with what it took', () => {
	let at = 0;
	const watch = createEtaWatch(() => at);
	const look = (changes: Partial<StoredFile>) => watch.look([aFile(changes)]);
	// Ten seconds; twice as long is predicted while it waits, nothing in the middle, and then the truth.
	for (; at < 10_000; at += 50)
		look({
			status: at < 4000 ? 'pending' : 'processing',
			eta_seconds: at < 4000 ? 15 : at < 7000 ? null : 2.5
		});
	look({ status: 'completed', eta_seconds: null });
	expect(watch.ratios()).toEqual([2, null, 1]);
});

it('says nothing of files that took no time', () => {
	let at = 0;
	const watch = createEtaWatch(() => at);
	watch.look([aFile({ status: 'processing', eta_seconds: 9 })]);
	at = 1000;
	watch.look([aFile({ status: 'completed' })]);
	expect(watch.ratios()).toEqual([]);
});
