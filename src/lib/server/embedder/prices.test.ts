import { expect, it } from 'vitest';
import { estimateUsd } from './prices.ts';

const openAi = 'https://api.openai.com/v1';

it('is known for models of OpenAI, in any size, and for no others', () => {
	expect(estimateUsd(openAi, 'text-embedding-3-small', 1_000_000)).toBe(0.02);
	expect(estimateUsd(openAi, 'text-embedding-3-large@256', 500_000)).toBeCloseTo(0.065);
	expect(estimateUsd(openAi, 'something-newer', 1_000)).toBeNull();
	expect(estimateUsd('http://localhost:11434/v1', 'text-embedding-3-small', 1_000)).toBeNull();
	expect(estimateUsd(undefined, 'lexical-384-1', 0)).toBeNull();
});
