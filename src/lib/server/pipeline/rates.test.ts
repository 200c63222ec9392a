import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { createRates, type Rate, secondsFrom, secondsOfOthers, type Took, weightsFrom } from './rates.ts';
import { finishTimes, secondsByPeers } from './schedule.ts';
import { usualWeights } from './weights.ts';

let platform: TestPlatform;
beforeAll(async () => {
	platform = await openTestPlatform();
});
afterAll(() => platform.close());

const pdf = (sizeBytes: number) => ({ fileType: 'application/pdf', sizeBytes });
const megabyte = 1e6;

/** As it was recorded: a PDF of a megabyte, whose embedding takes most of the time. */
const recorded: Took[] = [2.1, 1.9, 2.2, 2.0, 1.8].map((total) => ({
	compression: total * 0.2,
	extraction: total * 0.3,
	embedding: total,
	total
}));

describe('what files took', () => {
	it('is learned from a few of them, and kept', async () => {
		const rates = createRates(platform.db);
		for (const [i, took] of recorded.entries()) {
			await rates.learn(pdf(megabyte), took);
			expect(await rates.all()).toHaveLength(i < 2 ? 0 : 4);
		}
		const known = await createRates(platform.db).all();
		expect(secondsFrom(known, pdf(megabyte))).toBeCloseTo(2, 0);
		const weights = weightsFrom(known, pdf(megabyte));
		expect(weights.embedding / weights.compression).toBeCloseTo(5);
		expect(Object.values(weights).reduce((sum, one) => sum + one)).toBeCloseTo(1);
	});

	it('is learned from a single one that took long', async () => {
		const rates = createRates(platform.db);
		const book = { fileType: 'application/epub+zip', sizeBytes: megabyte };
		await rates.learn(book, { compression: 1, extraction: 2, embedding: 90, total: 90 });
		expect(secondsFrom(await rates.all(), book)).toBe(90);
		expect(weightsFrom(await rates.all(), book).extraction).toBeGreaterThan(0.01);
	});

	it('moves with what files take now', async () => {
		const rates = createRates(platform.db);
		const slow = { compression: 1, extraction: 2, embedding: 20, total: 20 };
		for (let i = 0; i < 20; i++) await rates.learn(pdf(megabyte), slow);
		expect(secondsFrom(await rates.all(), pdf(megabyte))).toBeGreaterThan(19);
	});
});

describe('a file of a size nobody has seen', () => {
	const rate = (stage: Rate['stage'], seconds: number): Rate => ({
		file_type: 'application/pdf',
		magnitude: 10,
		stage,
		seconds
	});
	const known = [rate('compression', 1), rate('extraction', 1), rate('embedding', 2), rate('total', 2)];

	it('takes longer in proportion when it is larger, and as long when it is smaller', () => {
		expect(secondsFrom(known, pdf(megabyte))).toBe(2);
		expect(secondsFrom(known, pdf(16 * megabyte))).toBe(32);
		expect(secondsFrom(known, pdf(1_000))).toBe(2);
	});

	it('of a type nobody has seen takes nobody knows how long, with the usual shares', () => {
		const picture = { fileType: 'image/png', sizeBytes: megabyte };
		expect(secondsFrom(known, picture)).toBeUndefined();
		expect(weightsFrom(known, picture)).toEqual(usualWeights('image/png'));
	});

	it('of a type nobody has seen stands in a queue for as long as others of its size', () => {
		const others = [...known, { ...rate('total', 4), file_type: 'text/plain' }];
		expect(secondsOfOthers(others, { fileType: 'image/png', sizeBytes: megabyte })).toBe(3);
		expect(secondsOfOthers([], { fileType: 'image/png', sizeBytes: megabyte })).toBeUndefined();
	});

	it('is judged by those of its type that are at work', () => {
		const atWork = [
			{ ...pdf(megabyte), etaSeconds: 30, share: 0.5 },
			{ ...pdf(megabyte), etaSeconds: null, share: 0.1 }
		];
		expect(secondsByPeers(atWork, pdf(2 * megabyte))).toBe(120);
		expect(secondsByPeers(atWork, { fileType: 'image/png', sizeBytes: 1 })).toBeUndefined();
	});
});

describe('files that wait', () => {
	const turn = (seconds: number | undefined, i: number) => ({ id: String(i), seconds });

	it('are done when those before them are, a few at a time', () => {
		const waiting = [10, 1, 1, 5].map(turn);
		expect(finishTimes(waiting, { atWork: [4], lanes: 2 })).toEqual([10, 5, 6, 11]);
		expect(finishTimes(waiting, { atWork: [], lanes: 1 })).toEqual([10, 11, 12, 17]);
	});

	it('are done nobody knows when after something of unknown length', () => {
		expect(finishTimes([1, undefined, 1].map(turn), { atWork: [], lanes: 2 })).toEqual([
			1,
			undefined,
			undefined
		]);
		expect(finishTimes([turn(1, 0)], { atWork: [undefined], lanes: 2 })).toEqual([undefined]);
	});
});
