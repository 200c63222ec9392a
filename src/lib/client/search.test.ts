import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SearchAnswer, SearchResult } from '#lib/shared/api.ts';
import { ApiError } from './api.ts';
import { highlightsOf, howFound, passageUrl, piecesOf } from './passages.ts';
import { Search } from './search.svelte.ts';

const result = (passage: string): SearchResult => ({
	file: { id: 'f1', filename: 'a.pdf', file_type: 'application/pdf' },
	page: 12,
	passage,
	highlights: [[4, 11]],
	score: 1
});
const answer = (...passages: string[]): SearchAnswer => ({
	results: passages.map(result),
	mode: 'hybrid',
	embedder: 'lexical'
});

describe('search while typing', () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	it('asks once, after a pause, for what stands there then', async () => {
		const asked: string[] = [];
		const search = new Search(async (q) => (asked.push(q), answer('one')));
		for (const text of ['l', 'la', ' lan ']) search.type(text);
		await vi.runAllTimersAsync();
		expect(asked).toEqual(['lan']);
		expect(search.results).toHaveLength(1);
		expect(search.isSearching).toBe(false);
	});

	it('never shows the answer to an older question', async () => {
		const open: ((answer: SearchAnswer) => void)[] = [];
		const signals: AbortSignal[] = [];
		const search = new Search((_q, { signal }) => {
			signals.push(signal);
			return new Promise((resolve) => open.push(resolve));
		});
		search.type('old');
		await vi.runAllTimersAsync();
		search.type('new');
		await vi.runAllTimersAsync();
		expect(signals[0]?.aborted).toBe(true);
		open[1]?.(answer('new'));
		open[0]?.(answer('old', 'old'));
		await vi.runAllTimersAsync();
		expect(search.results.map(({ passage }) => passage)).toEqual(['new']);
	});

	it('says why it failed, and forgets that when it is emptied', async () => {
		const search = new Search(() => Promise.reject(new ApiError({ code: 'x.y', message: 'No index.' }, 503)));
		search.type('word');
		await vi.runAllTimersAsync();
		expect(search.error).toBe('No index.');
		search.type('');
		expect(search.error).toBeUndefined();
	});

	it('moves round the results with the arrow keys', async () => {
		const search = new Search(async () => answer('a', 'b'));
		search.type('word');
		await vi.runAllTimersAsync();
		const places = ([1, 1, 1, -1, -1] as const).map((step) => (search.move(step), search.at));
		expect(places).toEqual([0, 1, 0, 1, 0]);
		search.type('words');
		expect(search.at).toBe(-1);
	});
});

describe('a passage', () => {
	it('is cut at its highlights, whatever they overlap', () => {
		const pieces = piecesOf('The lantern burns', [
			[4, 11],
			[8, 11],
			[12, 99]
		]);
		expect(pieces).toEqual([
			{ text: 'The ', isMatch: false },
			{ text: 'lantern', isMatch: true },
			{ text: ' ', isMatch: false },
			{ text: 'burns', isMatch: true }
		]);
	});

	it('leads to its page and its words', () => {
		const url = new URL(passageUrl(result('The lantern burns'), 'lantern light'), 'http://a');
		expect(url.pathname).toBe('/files/f1');
		expect(Object.fromEntries(url.searchParams)).toEqual({
			q: 'lantern light',
			page: '12',
			near: 'lantern burns'
		});
	});

	it('finds the words of a query again, without reading them as a pattern', () => {
		expect(highlightsOf('C++ is Fun, fun', 'fun c++ (')).toEqual([
			[7, 10],
			[12, 15]
		]);
	});
});

it('says honestly how it searched', () => {
	expect(howFound({ ...answer(), mode: 'keyword' })).toBe('Searched by words.');
	expect(howFound({ ...answer(), embedder: 'text-embedding-3-small' })).toContain('by meaning');
	expect(howFound(answer())).not.toContain('meaning');
});
