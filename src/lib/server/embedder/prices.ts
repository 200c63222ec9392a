type Price = { input: number; output: number };

/**
 * US dollars for a million tokens, as OpenAI announced them: on 25 January 2024 for vectors, in 2024 (gpt-4o) and in
 * April 2025 (gpt-4.1) for models that see. Other providers have other prices.
 */
const openAiPrices: Record<string, Price> = {
	'text-embedding-3-small': { input: 0.02, output: 0 },
	'text-embedding-3-large': { input: 0.13, output: 0 },
	'text-embedding-ada-002': { input: 0.1, output: 0 },
	'gpt-4o': { input: 2.5, output: 10 },
	'gpt-4o-mini': { input: 0.15, output: 0.6 },
	'gpt-4.1': { input: 2, output: 8 },
	'gpt-4.1-mini': { input: 0.4, output: 1.6 },
	'gpt-4.1-nano': { input: 0.1, output: 0.4 }
};

/** null: nobody knows. `model` as the database has it, with or without its dimensions. */
export function estimateUsd(
	baseUrl: string | undefined,
	model: string,
	{ input, output }: { input: number; output: number }
): number | null {
	if (baseUrl === undefined || new URL(baseUrl).hostname !== 'api.openai.com') return null;
	const price = openAiPrices[model.split('@')[0] ?? ''];
	return price === undefined ? null : (price.input * input + price.output * output) / 1_000_000;
}
