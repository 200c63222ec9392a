import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pageText } from '../../../../../tests/support/make-files.ts';
import { collect } from '../../../../../tests/support/stage-input.ts';
import type { Chunk, Page } from '../stage.ts';
import { budgetTokens, chunkPages, cut, overlapTokens } from './chunk.ts';
import { countTokens, maxUnitTokens } from './units.ts';

async function* pagesOf(...texts: string[]): AsyncGenerator<Page> {
	for (const [i, text] of texts.entries()) yield { number: i + 1, section: null, text };
}

const chunk = (...texts: string[]): Promise<Chunk[]> => collect(chunkPages(pagesOf(...texts)));

const words = fc.oneof(
	fc.constantFrom(
		'river',
		'stone.',
		'Lantern!',
		'naïve',
		'Ελληνικά',
		'привет.',
		'日本語のテスト。',
		'한국어',
		'a',
		'😀',
		'x'.repeat(900),
		'字'.repeat(500)
	),
	fc.string({ unit: 'grapheme', maxLength: 12 })
);
const gaps = fc.constantFrom(' ', '\n', '\n\n', '. ', '\t', '\n \n', '');
const prose = fc.array(fc.tuple(words, gaps), { maxLength: 300 }).map((parts) => parts.flat().join(''));

describe('cutting', () => {
	test('keeps every character that is not white space, in order', () => {
		fc.assert(
			fc.property(prose, (text) => {
				let covered = 0;
				for (const { start, end } of cut(text)) {
					expect(text.slice(covered, Math.max(start, covered)).trim()).toBe('');
					expect(end).toBeGreaterThan(covered);
					covered = end;
				}
				expect(text.slice(covered).trim()).toBe('');
			}),
			{ numRuns: 200 }
		);
	});

	test('keeps the budget, and the overlap', () => {
		fc.assert(
			fc.property(prose, (text) => {
				let before = 0;
				for (const { start, end } of cut(text)) {
					expect(countTokens(text, start, end)).toBeLessThanOrEqual(budgetTokens);
					if (start < before) expect(countTokens(text, start, before)).toBeLessThanOrEqual(overlapTokens);
					before = end;
				}
			}),
			{ numRuns: 200 }
		);
	});

	test('is deterministic, ids of halves of characters never appear', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(prose, { maxLength: 3 }), async (texts) => {
				const wellFormed = texts.map((text) => text.toWellFormed());
				const [once, again] = await Promise.all([chunk(...wellFormed), chunk(...wellFormed)]);
				expect(again).toEqual(once);
				expect(once.map((one) => one.ordinal)).toEqual(once.map((_, i) => i));
				for (const one of once) expect(one.text.isWellFormed()).toBe(true);
			}),
			{ numRuns: 60 }
		);
	});

	test('stays inside pages and says which', async () => {
		const chunks = await chunk(pageText(1, 900), '', '   \n\n ', pageText(4, 900));
		expect(new Set(chunks.map((one) => one.page))).toEqual(new Set([1, 4]));
		expect(chunks.length).toBeGreaterThan(4);
		for (const one of chunks) expect(one.text).not.toContain(one.page === 1 ? 'only4' : 'only1 ');
	});

	test('repeats the end of a chunk only where a paragraph is cut', () => {
		const sentence = 'The lantern in the harbour is lit when winter begins. ';
		const long = sentence.repeat(80);
		const spans = [...cut(long)];
		expect(spans.length).toBeGreaterThan(2);
		for (const [i, span] of spans.entries())
			if (i > 0) expect(span.start).toBeLessThan(spans[i - 1]?.end ?? 0);
		const paragraphs = Array.from({ length: 20 }, (_, i) => `${i} ${sentence.repeat(8)}`).join('\n\n');
		for (const [i, span] of [...cut(paragraphs)].entries()) {
			expect(paragraphs.slice(span.start, span.end)).toMatch(/^\d+ The lantern/);
			if (i > 0) expect(paragraphs.slice(span.start - 2, span.start)).toBe('\n\n');
		}
	});

	test('does not cut inside sentences that fit', () => {
		const text = Array.from(
			{ length: 100 },
			(_, i) => `Sentence number ${i} speaks of rivers\nand of stones in the garden.`
		).join(' ');
		for (const { start, end } of cut(text)) expect(text.slice(start, end)).toMatch(/^Sentence[\s\S]*\.$/);
	});

	test('nothing longer than a part of the budget is kept in one piece', () => {
		const spans = [...cut('y'.repeat(10_000))];
		for (const { start, end } of spans) expect(end - start).toBeLessThanOrEqual(budgetTokens * 4);
		expect(maxUnitTokens * 2).toBeLessThan(budgetTokens);
	});
});

describe('a hash', () => {
	test('depends on the words, not on white space or the page', async () => {
		const [a] = await chunk('The   river\nruns.');
		const [b] = await chunk('', 'The river runs.');
		const [c] = await chunk('The river ran.');
		expect(a?.hash).toMatch(/^[0-9a-f]{64}$/);
		expect(b?.hash).toBe(a?.hash);
		expect(c?.hash).not.toBe(a?.hash);
	});
});

describe('a text of an unkind shape', () => {
	test.each([
		['one line without spaces', 'x'.repeat(10 * 1024 ** 2)],
		['only line ends and spaces', '\n '.repeat(2_000_000)],
		['only full stops', '. '.repeat(1_000_000)],
		['one CJK line', '字'.repeat(2_000_000)]
	])('%s: is cut in seconds, and others have their turn meanwhile', async (_what, text) => {
		const turns = countTurns();
		const before = { wall: performance.now(), cpu: process.cpuUsage() };
		let count = 0;
		for await (const one of chunkPages(pagesOf(text))) count += one.text.length > 0 ? 1 : 0;
		expect(performance.now() - before.wall).toBeLessThan(15_000);
		expect(count).toBeGreaterThanOrEqual(text.trim() === '' ? 0 : 1);
		// In processor time, which a busy machine does not stretch.
		const { user, system } = process.cpuUsage(before.cpu);
		expect(turns.stop()).toBeGreaterThanOrEqual(Math.floor((user + system) / 1000 / 50));
	});
});

/** How often the event loop came round. */
function countTurns() {
	let turns = 0;
	let next = setImmediate(function turn() {
		turns++;
		next = setImmediate(turn);
	});
	return {
		stop() {
			clearImmediate(next);
			return turns;
		}
	};
}
