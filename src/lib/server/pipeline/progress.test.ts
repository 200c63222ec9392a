import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProgressState } from '../files/claim.ts';
import { createEstimate } from './estimate.ts';
import { createProgress, type Progress } from './progress.ts';

const weights = { compression: 0.25, extraction: 0.25, chunking: 0.25, embedding: 0.25 };
let written: ProgressState[];
let progress: Progress;

beforeEach(() => {
	vi.useFakeTimers();
	written = [];
	progress = createProgress({
		weights,
		startAt: 0,
		write: async (state) => void written.push(state),
		fail: (error) => {
			throw error;
		}
	});
});
afterEach(async () => {
	await progress.close();
	vi.useRealTimers();
});

const bytes = (done: number) => ({ unit: 'bytes', done, total: 1000 }) as const;

describe('progress', () => {
	it('is written at most four times a second, however often it is told', async () => {
		for (let i = 0; i < 1000; i++) {
			progress.tell('compression', bytes(i));
			await vi.advanceTimersByTimeAsync(1);
		}
		expect(written.length).toBeLessThanOrEqual(5);
		await vi.advanceTimersByTimeAsync(300);
		expect(written.at(-1)).toMatchObject({ activity: { done: 999 } });
	});

	it('tells how far each stage is that has begun, the earliest also when it is silent', async () => {
		progress.tell('extraction', { unit: 'pages', done: 1, total: 3 });
		await vi.advanceTimersByTimeAsync(300);
		expect(written.at(-1)?.stages).toEqual({ compression: null, extraction: 0.33 });
		progress.finish('extraction');
		progress.tell('embedding', { unit: 'chunks', done: 1, total: 2 });
		await vi.advanceTimersByTimeAsync(300);
		expect(written.at(-1)).toMatchObject({
			stage: 'compression',
			stages: { compression: null, extraction: 1, embedding: 0.5 }
		});
	});

	it('tells a new stage at once', async () => {
		progress.tell('compression', bytes(1));
		await vi.advanceTimersByTimeAsync(10);
		progress.finish('compression');
		await vi.advanceTimersByTimeAsync(1);
		expect(written.map(({ stage }) => stage)).toEqual(['compression', 'extraction']);
	});

	it('adds up stages that overlap, and shows the earliest that is not finished', async () => {
		progress.tell('compression', bytes(500));
		progress.tell('extraction', { unit: 'pages', done: 9, total: 10 });
		await vi.advanceTimersByTimeAsync(300);
		expect(written.at(-1)).toMatchObject({ stage: 'compression', activity: bytes(500), progress: 35 });
		progress.finish('compression');
		await vi.advanceTimersByTimeAsync(300);
		expect(written.at(-1)).toMatchObject({
			stage: 'extraction',
			activity: { unit: 'pages' },
			progress: 47.5
		});
	});

	it('claims nothing for a stage whose total nobody knows', async () => {
		progress.tell('compression', { unit: 'bytes', done: 5, total: null });
		await vi.advanceTimersByTimeAsync(300);
		expect(written.at(-1)).toMatchObject({ progress: 0, activity: { done: 5, total: null } });
	});

	it('never goes back, not even when a stage corrects itself', async () => {
		progress.tell('embedding', { unit: 'chunks', done: 5, total: 10 });
		progress.tell('embedding', { unit: 'chunks', done: 5, total: 100 });
		await vi.advanceTimersByTimeAsync(300);
		expect(written.at(-1)?.progress).toBe(12.5);
	});

	it('counts the seconds down while somebody else lets us wait', async () => {
		progress.tell('compression', bytes(1));
		progress.wait(3);
		await vi.advanceTimersByTimeAsync(4_000);
		const waits = written.flatMap(({ activity }) =>
			activity?.unit === 'seconds_waiting' ? [activity.done] : []
		);
		expect(waits).toEqual([0, 1, 2, 3]);
		expect(written.at(-1)?.activity).toEqual(bytes(1));
		progress.wait(100);
		await vi.advanceTimersByTimeAsync(500);
		progress.wait(0);
		await vi.advanceTimersByTimeAsync(500);
		expect(written.at(-1)?.activity).toEqual(bytes(1));
	});

	it('writes nothing after it was closed', async () => {
		progress.tell('compression', bytes(1));
		await progress.close();
		const { length } = written;
		progress.finish('compression');
		await vi.advanceTimersByTimeAsync(1_000);
		expect(written).toHaveLength(length);
	});
});

describe('the remaining time', () => {
	it('is not guessed before there is something to go by', () => {
		let now = 0;
		const estimate = createEstimate({ now: () => now });
		expect(estimate.secondsLeft(40)).toBeNull();
		now = 400;
		expect(estimate.secondsLeft(40)).toBeNull();
		now = 1_400;
		expect(estimate.secondsLeft(50)).toBeNull();
		now = 10_400;
		expect(estimate.secondsLeft(60)).toBe(20);
	});

	it('begins with what files like this one took, and then believes what it sees', () => {
		let now = 0;
		const estimate = createEstimate({ now: () => now, expectedSeconds: 8 });
		expect(estimate.secondsLeft(0)).toBe(8);
		now = 3_000;
		expect(estimate.secondsLeft(1)).toBe(5);
		now = 9_000;
		expect(estimate.secondsLeft(2)).toBeNull();
		now = 13_000;
		expect(estimate.secondsLeft(51)).toBe(10);
	});
});
