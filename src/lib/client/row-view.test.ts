import { describe, expect, it } from 'vitest';
import { aFile } from '../../../tests/support/a-file.ts';
import { actionsFor, remedyName } from './actions.ts';
import { ApiError } from './api.ts';
import { viewOf } from './row-view.ts';
import type { Row } from './rows.ts';
import { summaryLine, summaryOf, titleOf } from './summary.ts';
import { Upload } from './uploads.svelte.ts';

const place = { batchAt: 0, index: 0 };
const fileRow = (changes: Parameters<typeof aFile>[0] = {}): Row => ({
	key: 'f',
	place,
	upload: undefined,
	file: aFile(changes)
});

function uploadRow(change: (upload: Upload) => void): Row {
	const upload = new Upload('u', new File([new Uint8Array(1000)], 'notes.md'), place, '');
	change(upload);
	return { key: 'u', place, upload, file: undefined };
}

describe('the row of a file being sent', () => {
	it('says how much has left and how long it takes', () => {
		const view = viewOf(
			uploadRow((upload) => Object.assign(upload, { state: 'sending', sentBytes: 400, secondsLeft: 8.2 }))
		);
		expect(view).toMatchObject({ line: 'Sending 0.4 of 1 kB · about 8 s left', state: 'moving' });
		expect(view.segments[0]?.share).toBe(0.4);
	});

	it('that was refused says why, and offers what helps', () => {
		const refused = (code: string) =>
			uploadRow((upload) =>
				Object.assign(upload, { state: 'failed', error: new ApiError({ code, message: 'No room.' }, 413) })
			);
		expect(viewOf(refused('upload.quota_exceeded')).failure).toMatchObject({
			happened: 'No room.',
			kept: 'Nothing was stored.'
		});
		expect(remedyName(refused('upload.quota_exceeded'))).toBe('Remove');
		expect(remedyName(refused('network.unreachable'))).toBe('Retry');
	});
});

describe('what can be done with a file', () => {
	it.each([
		['processing', null, ['download', 'cancel', 'delete']],
		['pending', null, ['download', 'next', 'cancel', 'delete']],
		['completed', null, ['download', 'again', 'delete']],
		['cancelled', null, ['download', 'retry', 'delete']],
		['failed', 'embedding.unreachable', ['download', 'retry', 'delete']],
		['failed', 'file.damaged', ['download', 'delete']]
	] as const)('%s %s', (status, error_code, actions) => {
		expect(actionsFor(aFile({ status, error_code }))).toEqual(actions);
	});

	it('one that is next already is not offered to be next', () => {
		expect(actionsFor(aFile({ status: 'pending', queue_position: 1 }))).not.toContain('next');
		expect(actionsFor(aFile({ status: 'pending', queue_position: 2 }))).toContain('next');
	});

	it('a protected PDF is unlocked', () => {
		expect(remedyName(fileRow({ status: 'failed', error_code: 'pdf.encrypted' }))).toBe('Unlock');
	});
});

describe('the list in one line', () => {
	it('counts what moves, and says so in the title', () => {
		const summary = summaryOf([
			fileRow({ progress: 40 }),
			fileRow({ progress: 20 }),
			fileRow({ status: 'cancelled' })
		]);
		expect(summary).toMatchObject({ files: 3, moving: 2, percent: 37 });
		expect(titleOf(summary)).toBe('37 % · Asura');
	});

	it('counts the failures that a retry may help, and nothing that was never sent', () => {
		const neverSent = uploadRow((upload) => Object.assign(upload, { state: 'failed' }));
		const failed = fileRow({ status: 'failed', error_code: 'embedding.unreachable' });
		const damaged = fileRow({ status: 'failed', error_code: 'file.damaged' });
		const locked = fileRow({ status: 'failed', error_code: 'pdf.encrypted' });
		expect(summaryOf([failed, neverSent, damaged, locked, failed]).retryable).toBe(2);
	});

	it('counts what is kept', () => {
		expect(summaryLine(summaryOf([fileRow({ size_bytes: 9_000_000, compressed_bytes: 1_000_000 })]))).toBe(
			'1 file, 10 MB kept, 8 MB saved'
		);
	});
});
