// Stages for tests of what is around them: pages are what stands between form feeds, and a test decides when each of
// them comes and what fails. The stages themselves have tests of their own.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createHash } from 'node:crypto';
import type { Embedder } from '#lib/server/embedder/embedder.ts';
import type { Chunk, Page, StageInput, Stages } from '#lib/server/pipeline/stage.ts';

export type TestStages = Stages & {
	calls: { compress: number; extract: number };
	/** Awaited before each page; may throw. */
	beforePage: (number: number, input: StageInput) => Promise<void>;
	beforeCompress: (input: StageInput) => Promise<void>;
	/** As they were made. */
	reset(): void;
};

export function makeStages(): TestStages {
	const stages: TestStages = {
		calls: { compress: 0, extract: 0 },
		beforePage: async () => undefined,
		beforeCompress: async () => undefined,
		async compress(input) {
			stages.calls.compress++;
			await stages.beforeCompress(input);
			input.signal.throwIfAborted();
			const file = path.join(input.scratchDir, 'compressed');
			await writeFile(file, 'small');
			return { compressed: { path: file, type: 'application/zstd', bytes: 5 } };
		},
		async *extract(input) {
			stages.calls.extract++;
			const pages = (await readFile(input.path, 'utf8')).split('\f');
			for (const [i, text] of pages.entries()) {
				await stages.beforePage(i + 1, input);
				input.signal.throwIfAborted();
				input.onTick({ done: i + 1, total: pages.length, unit: 'pages' });
				yield { number: i + 1, section: null, text };
			}
		},
		async close() {},
		reset: () => void Object.assign(stages, initial, { calls: { compress: 0, extract: 0 } })
	};
	const initial = { ...stages };
	return stages;
}

/** One passage per paragraph. */
export async function* cutParagraphs(pages: AsyncIterable<Page>): AsyncGenerator<Chunk> {
	let ordinal = 0;
	for await (const { number, section, text } of pages) {
		for (const one of text.split('\n').filter(Boolean)) {
			const hash = createHash('sha256').update(one).digest('hex');
			yield { ordinal: ordinal++, page: number, section, text: one, hash };
		}
	}
}

export type TestEmbedder = Pick<Embedder, 'model' | 'embed'> & {
	texts: string[];
	/** Counted for each text. */
	tokens: number;
	/** Calls that have not been answered. */
	open: number;
	mostOpen: number;
	before: (texts: readonly string[], signal: AbortSignal) => Promise<void>;
	reset(): void;
};

export function makeEmbedder(model = 'test:3'): TestEmbedder {
	const embedder: TestEmbedder = {
		model,
		texts: [],
		tokens: 0,
		open: 0,
		mostOpen: 0,
		before: async () => undefined,
		async embed(texts, { signal, onTokens }) {
			embedder.open++;
			embedder.mostOpen = Math.max(embedder.mostOpen, embedder.open);
			try {
				await embedder.before(texts, signal);
				signal.throwIfAborted();
				embedder.texts.push(...texts);
				onTokens?.(embedder.tokens * texts.length);
				return texts.map((text) =>
					text.includes('refused') ? undefined : new Float32Array([text.length, 1, 0.1])
				);
			} finally {
				embedder.open--;
			}
		},
		reset: () => void Object.assign(embedder, initial, { texts: [] })
	};
	const initial = { ...embedder };
	return embedder;
}

/** A promise that a test opens. */
export function gate() {
	const { promise, resolve } = Promise.withResolvers<void>();
	return {
		open: resolve,
		/** Rejects when the work is ended meanwhile. */
		passed: (signal?: AbortSignal) =>
			new Promise<void>((done, reject) => {
				if (signal?.aborted) return reject(signal.reason);
				signal?.addEventListener('abort', () => reject(signal.reason));
				void promise.then(done);
			})
	};
}
