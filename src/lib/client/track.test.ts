import { describe, expect, it } from 'vitest';
import { aFile } from '../../../tests/support/a-file.ts';
import { segmentsOf, sendingSegments } from './track.ts';

const states = (file: Parameters<typeof segmentsOf>[0]) => segmentsOf(file).map(({ state }) => state);

describe('the stage track', () => {
	it('shows the bytes of a waiting file as kept', () => {
		expect(states(aFile({ status: 'pending', processing_stage: null }))).toEqual([
			'done',
			'ahead',
			'ahead',
			'ahead',
			'ahead'
		]);
	});

	it('shows later stages that are under way or done before an earlier one', () => {
		const file = aFile({
			processing_stage: 'compression',
			stage_progress: { compression: null, extraction: 1, chunking: 1, embedding: 0.25 }
		});
		expect(states(file)).toEqual(['done', 'now', 'done', 'done', 'now']);
		expect(segmentsOf(file).at(-1)?.share).toBe(0.25);
	});

	it('fills the running stage by what is done of it', () => {
		const segments = segmentsOf(aFile({ activity: { unit: 'pages', done: 412, total: 824 } }));
		expect(segments.map(({ share }) => share)).toEqual([1, 1, 0.5, 0, 0]);
	});

	it('knows no share where nobody knows the total, or while waiting for the provider', () => {
		expect(segmentsOf(aFile({ activity: { unit: 'pages', done: 3, total: null } }))[2]?.share).toBeNull();
		expect(
			segmentsOf(aFile({ activity: { unit: 'seconds_waiting', done: 1, total: 14 } }))[2]?.share
		).toBeNull();
	});

	it('stops where a failure stopped it', () => {
		expect(states(aFile({ status: 'failed' }))).toEqual(['done', 'done', 'stopped', 'ahead', 'ahead']);
	});

	it('is full when the file is searchable', () => {
		expect(states(aFile({ status: 'completed', progress: 100, processing_stage: null }))).toEqual(
			Array(5).fill('done')
		);
	});

	it('moves only its first segment while bytes are being sent', () => {
		expect(sendingSegments(0.25).map(({ share }) => share)).toEqual([0.25, 0, 0, 0, 0]);
	});
});
