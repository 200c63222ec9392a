import { describe, expect, it } from 'vitest';
import { excerptOf, findPart, partsOf, placeOf } from './reading.ts';
import { Reading } from './reading.svelte.ts';

const nowhere = { page: null, near: '' };
const { signal } = new AbortController();

describe('the text of a file', () => {
	it('is cut at its pages, and an empty page keeps its number', () => {
		expect(partsOf('one\f\fthree', true)).toEqual([
			{ page: 1, text: 'one' },
			{ page: 2, text: '' },
			{ page: 3, text: 'three' }
		]);
	});

	it('flows where the paper ended a line, and keeps the lines that were meant to end', () => {
		const long = 'a line that goes on until the paper has no more room for it';
		expect(partsOf(`Title\n${long}\nand its end.\n\nNext`, true)[0]?.text).toBe(
			`Title\n${long} and its end.\n\nNext`
		);
	});

	it('without pages is cut between paragraphs and loses nothing', () => {
		const text = Array.from({ length: 300 }, (_, i) => `Paragraph ${i} ${'word '.repeat(20)}`).join('\n\n');
		const parts = partsOf(text, false);
		expect(parts.length).toBeGreaterThan(5);
		expect(parts.map((part) => part.text).join('')).toBe(text);
		expect(parts.slice(1).every((part) => part.text.startsWith('Paragraph'))).toBe(true);
	});

	it('is cut even where a line never ends', () => {
		const parts = partsOf('x'.repeat(9000), false);
		expect(parts.map((part) => part.text.length)).toEqual([4000, 4000, 1000]);
	});
});

describe('an excerpt', () => {
	it('begins a little before the passage and ends after it, with whole words on one line', () => {
		const text = `${'before '.repeat(40)}the lantern\nwas lit${' after'.repeat(100)}`;
		const excerpt = excerptOf(text, 'lantern was');
		expect(excerpt).toMatch(/^… (before ){11,12}the lantern was lit( after)+ …$/);
		expect(excerptOf('A lantern.', 'lantern')).toBe('A lantern.');
		expect(excerptOf('A lantern.', 'nowhere')).toBe('A lantern.');
	});
});

describe('the place of a passage', () => {
	const parts = partsOf('alpha\fbeta (gamma)\n delta\fomega', true);

	it('is its page', () => expect(findPart(parts, { page: 3, near: '' })).toBe(2));
	it('or where its words stand, whatever the white space', () => {
		expect(findPart(parts, { page: null, near: 'beta (gamma) delta' })).toBe(1);
		expect(placeOf('so: beta  (gamma)', 'beta (gamma)')).toBe(4);
		expect(placeOf('a well-known and/or [x] {y} C++ \\ path', 'well-known and/or [x] {y} C++ \\ path')).toBe(
			2
		);
	});
	it('or the beginning', () => expect(findPart(parts, { page: 99, near: 'nothing' })).toBe(0));
});

describe('reading', () => {
	const book = Array.from({ length: 100 }, (_, i) => `page ${i + 1}`).join('\f');

	it('opens around the page that was asked for, and shows more on demand', async () => {
		const reading = new Reading();
		const wanted = { page: 50, near: '' };
		await reading.load({
			fetchText: async () => ({ text: book, isWhole: false }),
			hasPages: true,
			wanted,
			signal
		});
		expect(reading.shown[0]?.page).toBe(49);
		expect(reading.shown.length).toBeLessThan(20);
		reading.showEarlier();
		expect(reading.shown[0]?.page).toBe(37);
		for (let i = 0; i < 10; i++) reading.showLater();
		expect(reading.hasLater).toBe(false);
		expect(reading.isCut).toBe(true);
	});

	it('says when it could not be fetched', async () => {
		const reading = new Reading();
		const fetchText = () => Promise.reject(new Error('gone'));
		await reading.load({ fetchText, hasPages: true, wanted: nowhere, signal });
		expect(reading.state).toBe('failed');
	});
});
