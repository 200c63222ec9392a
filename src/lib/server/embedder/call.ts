// One call to the provider and nothing more: its answer is parsed, and checked to be what was asked for.
import OpenAI from 'openai';
import * as v from 'valibot';
import type { Config } from '#lib/server/config.ts';
import { BadAnswer } from './failures.ts';

export type Provider = NonNullable<Config['provider']>;

/** `dimensions`: what the vectors must have, if that is known. */
export type Call = (
	texts: readonly string[],
	signal: AbortSignal,
	dimensions?: number
) => Promise<{ vectors: Float32Array[]; tokens: number }>;

/** For providers that do not count: English has about four letters to a token. */
const charsPerToken = 4;

const Answer = v.object({
	data: v.array(v.object({ index: v.number(), embedding: v.union([v.string(), v.array(v.number())]) })),
	usage: v.optional(v.object({ total_tokens: v.optional(v.pipe(v.number(), v.minValue(0))) }))
});

export function createCall({ apiKey, baseUrl, model, dimensions }: Provider, timeoutMs: number): Call {
	// The client's own retries and log are off: there is one retry policy and one log, ours.
	const client = new OpenAI({ apiKey, baseURL: baseUrl, maxRetries: 0, timeout: timeoutMs, logLevel: 'off' });
	return async (texts, signal, expected) => {
		// Half the bytes of numbers in text; servers that do not know it answer with numbers, which is fine too.
		const request = { model, input: [...texts], dimensions, encoding_format: 'base64' as const };
		const answer = v.parse(Answer, await client.embeddings.create(request, { signal }));
		const vectors = answer.data
			.toSorted((a, b) => a.index - b.index)
			.map(({ embedding }) => decode(embedding));
		check(vectors, texts.length, expected);
		return { vectors, tokens: answer.usage?.total_tokens || estimateTokens(texts) };
	};
}

function estimateTokens(texts: readonly string[]): number {
	return texts.reduce((sum, text) => sum + Math.ceil(text.length / charsPerToken), 0);
}

function decode(embedding: string | number[]): Float32Array {
	if (typeof embedding !== 'string') return Float32Array.from(embedding);
	const bytes = Buffer.from(embedding, 'base64');
	if (bytes.length % 4 !== 0) throw new BadAnswer('A vector breaks off.');
	return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

function check(vectors: readonly Float32Array[], count: number, dimensions = vectors[0]?.length): void {
	if (vectors.length !== count) throw new BadAnswer(`${vectors.length} vectors for ${count} texts.`);
	for (const vector of vectors) {
		if (vector.length !== dimensions || vector.length === 0)
			throw new BadAnswer(`${vector.length} dimensions instead of ${dimensions}.`);
		if (!vector.every(Number.isFinite)) throw new BadAnswer('A vector holds something that is no number.');
	}
}
