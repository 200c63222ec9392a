// Text to vectors: by an OpenAI-compatible provider when one is configured, else by the words and letters themselves.
import type { Config } from '#lib/server/config.ts';
import type { Log } from '#lib/server/log.ts';
import type { Metrics } from '#lib/server/metrics.ts';
import { createLexicalEmbedder } from './lexical.ts';
import { createProvider } from './provider.ts';

export type EmbedOptions = {
	signal: AbortSignal;
	/** The provider asks for patience: called when a wait begins, every second of it, and with 0 when it is over. */
	onWait?: (seconds: number) => void;
	/** What the provider says it counted, for each call that it answered; an estimate where it says nothing. */
	onTokens?: (tokens: number) => void;
};

export type Embedder = {
	/** For people: shown by the page and by every search. */
	name: string;
	/** For the database: vectors of different models, or of one model in different sizes, are never compared. */
	model: string;
	/** Whether it knows meaning, or letters only. */
	isSemantic: boolean;
	/** One slot per text, in order; undefined: the provider refuses exactly this text, trying again would not help. */
	embed(texts: readonly string[], options: EmbedOptions): Promise<(Float32Array | undefined)[]>;
};

export function createEmbedder({
	config,
	metrics,
	log
}: {
	config: Pick<Config, 'provider'>;
	metrics: Metrics;
	log: Log;
}): Embedder {
	if (!config.provider) return createLexicalEmbedder();
	return createProvider({ provider: config.provider, metrics, log });
}
