// Vectors from an OpenAI-compatible provider, in batches within its limits. A text that the provider refuses is found
// by halving its batch and gets an empty slot: one poisoned chunk never fails a file.
import { problem } from '#lib/server/errors.ts';
import type { Log } from '#lib/server/log.ts';
import type { Metrics } from '#lib/server/metrics.ts';
import { createCall, type Provider } from './call.ts';
import type { Embedder, EmbedOptions } from './embedder.ts';
import { createPatience, type Tuning } from './patience.ts';

const maxTexts = 100;
/** Characters stand in for tokens: never more than one token each, and far below every provider's limit per call. */
const maxChars = 200_000;
const defaultTimeoutMs = 60_000;
/** A text nobody refuses: tells a provider that refuses everything from one that refuses a text. */
const plainText = 'test';

type Slot = Float32Array | undefined;
type Deps = { provider: Provider; metrics: Metrics; log: Log; tuning?: Tuning & { callTimeoutMs?: number } };

export function createProvider({ provider, metrics, log, tuning }: Deps): Embedder {
	const callTimeoutMs = tuning?.callTimeoutMs ?? defaultTimeoutMs;
	const call = createCall(provider, callTimeoutMs);
	const persist = createPatience({ apiKey: provider.apiKey, callTimeoutMs, metrics, log, tuning });
	let learned: number | undefined;

	/**
	 * How long this model's vectors are, asked for once: a wrong answer later is then seen to be wrong. Files that start
	 * together each ask, so that cancelling one cannot fail another.
	 */
	const learn = async (options: EmbedOptions): Promise<number> => {
		const known = provider.dimensions ?? learned;
		if (known !== undefined) return known;
		learned = (await embedPlainText(options)).length;
		return learned;
	};
	const embedPlainText = async (options: EmbedOptions): Promise<Float32Array> => {
		const answer = await persist(() => call([plainText], options.signal, provider.dimensions), options);
		if (answer?.vectors[0]) return answer.vectors[0];
		throw problem('embedding.rejected', { details: { reason: 'The provider refuses every text.' } });
	};
	/** `prove` tells a provider that refuses a text from one that refuses everything, before the halving begins. */
	const embedBatch = async (
		texts: readonly string[],
		dimensions: number,
		options: EmbedOptions,
		prove: () => Promise<unknown>
	): Promise<Slot[]> => {
		const answer = await persist(() => call(texts, options.signal, dimensions), options);
		if (answer) {
			options.onTokens?.(answer.tokens);
			return answer.vectors;
		}
		await prove();
		if (texts.length === 1) return [undefined];
		const middle = Math.ceil(texts.length / 2);
		const first = await embedBatch(texts.slice(0, middle), dimensions, options, prove);
		return [...first, ...(await embedBatch(texts.slice(middle), dimensions, options, prove))];
	};

	return {
		name: provider.model,
		model: provider.dimensions === undefined ? provider.model : `${provider.model}@${provider.dimensions}`,
		isSemantic: true,
		async embed(texts, { signal, ...told }) {
			if (texts.length === 0) return [];
			const failed = new AbortController();
			const options = { ...told, signal: AbortSignal.any([signal, failed.signal]) };
			try {
				const dimensions = await learn(options);
				let proof: Promise<unknown> | undefined;
				const prove = () => (proof ??= embedPlainText(options));
				const slots = await Promise.all(
					batchesOf(texts).map((batch) => embedBatch(batch, dimensions, options, prove))
				);
				return slots.flat();
			} catch (error) {
				failed.abort(error);
				if (isRejection(error)) learned = undefined;
				throw error;
			}
		}
	};
}

function batchesOf(texts: readonly string[]): string[][] {
	const batches: string[][] = [];
	let chars = 0;
	for (const text of texts) {
		const last = batches.at(-1);
		if (last && last.length < maxTexts && chars + text.length <= maxChars) last.push(text);
		else batches.push([text]);
		chars = batches.at(-1)?.length === 1 ? text.length : chars + text.length;
	}
	return batches;
}

function isRejection(error: unknown): boolean {
	return error instanceof Error && 'code' in error && error.code === 'embedding.rejected';
}
