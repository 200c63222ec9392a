import { describe, expect, test } from 'vitest';
import { pageText } from '../../../../tests/support/make-files.ts';
import { createLexicalEmbedder, dimensions, embedText } from './lexical.ts';

function near(a: string, b: string): number {
	const other = embedText(b);
	return embedText(a).reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0);
}

describe('the lexical embedder', () => {
	test('is deterministic, of unit length and honest about what it is', async () => {
		const embedder = createLexicalEmbedder();
		expect(embedder).toMatchObject({ name: 'lexical', isSemantic: false });
		const [once, again] = await embedder.embed(['The river runs', 'The river runs'], {
			signal: new AbortController().signal
		});
		expect(once).toEqual(again);
		expect(once?.length).toBe(dimensions);
		expect(Math.hypot(...(once ?? []))).toBeCloseTo(1, 5);
	});

	test('finds texts near that share words, case, marks and order aside', () => {
		expect(near('Crème brûlée recipe', 'RECIPE for creme brulee')).toBeGreaterThan(0.8);
		expect(near('the harbour in winter', 'winter harbour')).toBeGreaterThan(0.7);
		expect(near('the harbour in winter', 'quantum physics lecture')).toBeLessThan(0.25);
	});

	test('finds misspelled and inflected words nearer than others', () => {
		expect(near('compression', 'compresion')).toBeGreaterThan(0.4);
		expect(near('lantern', 'lanterns')).toBeGreaterThan(near('lantern', 'letters') + 0.2);
	});

	test('reads scripts without spaces', () => {
		expect(near('機械学習の入門', '機械学習')).toBeGreaterThan(0.5);
		expect(near('機械学習の入門', '天気予報')).toBeLessThan(0.2);
	});

	test('gives a vector to a text without words, near to nothing', () => {
		expect(Math.hypot(...embedText('!!! … ---'))).toBeCloseTo(1, 5);
		expect(Math.abs(near('!!!', 'harbour in winter'))).toBeLessThan(0.3);
	});

	test('does not block the thread for long', async () => {
		const texts = Array.from({ length: 300 }, (_, i) => pageText(i, 220));
		let longest = 0;
		let last = performance.now();
		const timer = setInterval(() => {
			longest = Math.max(longest, performance.now() - last);
			last = performance.now();
		}, 1);
		await createLexicalEmbedder().embed(texts, { signal: new AbortController().signal });
		clearInterval(timer);
		expect(longest).toBeLessThan(100);
	});
});
