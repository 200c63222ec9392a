/** US dollars for a million tokens, as OpenAI announced them on 25 January 2024. Other providers have other prices. */
const openAiPrices: Record<string, number> = {
	'text-embedding-3-small': 0.02,
	'text-embedding-3-large': 0.13,
	'text-embedding-ada-002': 0.1
};

/** null: nobody knows. `model` as the database has it, with or without its dimensions. */
export function estimateUsd(baseUrl: string | undefined, model: string, tokens: number): number | null {
	if (baseUrl === undefined || new URL(baseUrl).hostname !== 'api.openai.com') return null;
	const price = openAiPrices[model.split('@')[0] ?? ''];
	return price === undefined ? null : (price * tokens) / 1_000_000;
}
