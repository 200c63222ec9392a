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
	let now: number;
	beforeEach(() => (now = 0));
	const open = (expectedSeconds?: number) => createEstimate({ now: () => now, expectedSeconds });

	it('is not guessed before there is something to go by', () => {
		const estimate = open();
		const left = (at: number, share: number) => ((now = at), estimate.secondsLeft('embedding', share));
		expect(left(0, 0.5)).toBeNull();
		// What an earlier attempt did is found in no time.
		expect(left(400, 0.5)).toBeNull();
		expect(left(1_400, 0.625)).toBeNull();
		expect(left(10_400, 0.505)).toBeNull();
		expect(left(10_400, 0.75)).toBe(10);
	});

	it('begins with what files like this one took, and then believes what it sees', () => {
		const estimate = open(8);
		const left = (at: number, share: number) => ((now = at), estimate.secondsLeft('embedding', share));
		expect(left(0, 0)).toBe(8);
		expect(left(3_000, 0.001)).toBe(5);
		expect(left(9_000, 0.002)).toBeNull();
		expect(left(13_000, 0.501)).toBe(10);
	});

	it('is that of the slowest stage from the first moments on, although the others are through early', () => {
		const estimate = open();
		// Read in ten seconds; a slow provider takes a minute for it.
		for (now = 300; now < 60_000; now += 250) {
			const told = estimate.secondsLeft('embedding', now / 60_000);
			if (now > 2_000) expect(told).toBe(Math.ceil((60_000 - now) / 1000));
		}
	});

	it('follows a pace that changes, and also a very slow one', () => {
		const estimate = open();
		let share = 0;
		const run = (ms: number, perSecond: number) => {
			for (const end = now + ms; now < end; now += 250)
				estimate.secondsLeft('embedding', (share += perSecond / 4));
			return estimate.secondsLeft('embedding', share) ?? 0;
		};
		expect(run(30_000, 0.01)).toBeCloseTo((1 - share) / 0.01, -1);
		const slow = 1 / 7_200;
		const left = run(400_000, slow);
		expect(left / ((1 - share) / slow)).toBeGreaterThan(0.9);
		expect(left / ((1 - share) / slow)).toBeLessThan(1.1);
	});

	it('goes by the pages where there is nothing to embed', async () => {
		const page = (done: number) => progress.tell('extraction', { unit: 'pages', done, total: 100 });
		for (let done = 0; done <= 50; done++) {
			page(done);
			await vi.advanceTimersByTimeAsync(100);
		}
		expect(written.at(-1)?.etaSeconds).toBeGreaterThan(3);
		expect(written.at(-1)?.etaSeconds).toBeLessThan(8);
		progress.tell('chunking', { unit: 'chunks', done: 1, total: null }, 0.5);
		await vi.advanceTimersByTimeAsync(300);
		expect(written.at(-1)?.etaSeconds).toBeNull();
	});
});
