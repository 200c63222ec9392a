import { expect, it } from 'vitest';
import { effortOf } from './effort.ts';

const nothing = { model: null, tokens: 0, estimated_usd: null, seconds: null };

it('what is not known is left out', () => {
	expect(effortOf(nothing)).toEqual([]);
	expect(effortOf({ ...nothing, model: 'lexical-512-1', estimated_usd: 0 })).toEqual([
		{ term: 'Model', words: 'lexical-512-1' }
	]);
});

it('tells when each stage was over, as exactly as it was measured', () => {
	const words = (embedding: number) =>
		effortOf({ ...nothing, seconds: { compression: 0.02, extraction: 3.24, embedding } }).map(
			(fact) => `${fact.term} ${fact.words}`
		);
	expect(words(47)).toEqual(['Compressed after less than 0.1 s', 'Read after 3.2 s', 'Embedded after 47 s']);
	expect(words(600).at(-1)).toBe('Embedded after 10 min');
});

it('tells a price however small it is', () => {
	const price = (estimated_usd: number) => effortOf({ ...nothing, tokens: 12_345, estimated_usd });
	expect(price(0.000_246_9)).toEqual([
		{ term: 'Tokens', words: '12,345' },
		{ term: 'Price', words: 'about $0.00025' }
	]);
	expect(price(1.234).at(-1)?.words).toBe('about $1.2');
});
