import { expect, it } from 'vitest';
import { aFile } from '../../../tests/support/a-file.ts';
import { endingsLine, watchEndings } from './endings.ts';

const done = { status: 'completed', progress: 100, processing_stage: null } as const;
const other = '00000000-0000-4000-8000-000000000002';

it('a file that was already searchable when the page opened has not ended now', () => {
	const endedSince = watchEndings();
	expect(endedSince([aFile(done)])).toEqual([]);
	expect(endedSince([aFile(done), aFile({ ...done, id: other })])).toEqual([]);
});

it('an ending is told once', () => {
	const endedSince = watchEndings();
	endedSince([aFile(), aFile({ id: other })]);
	expect(endedSince([aFile(done), aFile({ id: other })]).map(({ id }) => id)).toEqual([aFile().id]);
	expect(endedSince([aFile(done), aFile({ id: other })])).toEqual([]);
});

it('one ending is named, many are counted', () => {
	const failed = aFile({ status: 'failed', error_code: 'file.damaged' });
	expect(endingsLine([aFile(done)])).toBe('report.pdf is searchable.');
	expect(endingsLine([failed])).toBe('report.pdf failed. The file is damaged and cannot be read.');
	expect(endingsLine([aFile(done), aFile(done), failed])).toBe('2 files are searchable, 1 file stopped.');
});
