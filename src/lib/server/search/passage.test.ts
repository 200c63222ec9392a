import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMatcher, likeness } from './match.ts';
import { cutPassage } from './passage.ts';
import { parseQuery } from './query.ts';

const filler = 'Many other words stand here and say nothing of what is looked for. '.repeat(20);

describe('a passage', () => {
	test('is cut around the best matches, at a sentence, on whole words', () => {
		const text = `${filler}A lantern. ${filler}The harbour has a lantern and a quay. ${filler}`;
		const { passage, highlights } = cutPassage(text, createMatcher(parseQuery('harbour lantern'))(text));
		expect(passage.length).toBeLessThanOrEqual(300);
		expect(passage).toMatch(/^(Many|The harbour)[\s\S]*\w\.?$/);
		expect(highlights.map(([start, end]) => passage.slice(start, end))).toEqual(['harbour', 'lantern']);
	});

	test('without a match is the beginning', () => {
		expect(filler.startsWith(cutPassage(filler, []).passage)).toBe(true);
	});

	test('is a part of the text whatever the text, and its marks lie on the words', () => {
		const text = fc.array(
			fc.oneof(
				fc.constantFrom('lantern', 'Lanterne', '😀', '日本語', '. ', '\n', ' ', 'é'),
				fc.string({ unit: 'grapheme' })
			),
			{ maxLength: 200 }
		);
		fc.assert(
			fc.property(text, (parts) => {
				const whole = parts.join('').toWellFormed();
				const { passage, highlights } = cutPassage(whole, createMatcher(parseQuery('日本 lanter'))(whole));
				expect(whole).toContain(passage);
				expect(passage.isWellFormed()).toBe(true);
				for (const [start, end] of highlights) expect(passage.slice(start, end)).toMatch(/lanter|日本/i);
			})
		);
	});
});

describe('likeness', () => {
	test('sees slips and endings, not other words', () => {
		expect(likeness('harbuor', 'harbour')).toBeGreaterThanOrEqual(0.6);
		expect(likeness('lanterns', 'lantern')).toBeGreaterThan(0.7);
		expect(likeness('compresion', 'compression')).toBeGreaterThan(0.8);
		expect(likeness('winter', 'window')).toBeLessThan(0.6);
		expect(likeness('light', 'list')).toBeLessThan(0.6);
		expect(likeness('cat', 'cat')).toBe(0);
	});
});
