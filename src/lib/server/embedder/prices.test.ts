import { expect, it } from 'vitest';
import { estimateUsd } from './prices.ts';

const openAi = 'https://api.openai.com/v1';

it('is known for models of OpenAI, in any size, and for no others', () => {
	expect(estimateUsd(openAi, 'text-embedding-3-small', { input: 1_000_000, output: 0 })).toBe(0.02);
	expect(estimateUsd(openAi, 'text-embedding-3-large@256', { input: 500_000, output: 0 })).toBeCloseTo(0.065);
	expect(estimateUsd(openAi, 'gpt-4o-mini', { input: 1_000_000, output: 100_000 })).toBeCloseTo(0.21);
	expect(estimateUsd(openAi, 'something-newer', { input: 1_000, output: 0 })).toBeNull();
	expect(
		estimateUsd('http://localhost:11434/v1', 'text-embedding-3-small', { input: 1_000, output: 0 })
	).toBeNull();
	expect(estimateUsd(undefined, 'lexical-384-1', { input: 0, output: 0 })).toBeNull();
});
