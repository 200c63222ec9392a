// The vector of a query, remembered: people type, refine and come back, and a provider takes its time and its price.
import type { Embedder } from '#lib/server/embedder/embedder.ts';

const maxRemembered = 500;
const patienceMs = 4_000;

/** undefined: the embedder did not answer in time. */
export function createVectorCache(embedder: Embedder): (text: string) => Promise<Float32Array | undefined> {
	const remembered = new Map<string, Float32Array>();
	return async (text) => {
		const known = remembered.get(text);
		remembered.delete(text);
		const vector = known ?? (await embedOne(embedder, text));
		if (!vector) return undefined;
		// Last in, last out: the map's order is the order of use.
		remembered.set(text, vector);
		const oldest = remembered.keys().next();
		if (remembered.size > maxRemembered && !oldest.done) remembered.delete(oldest.value);
		return vector;
	};
}

async function embedOne(embedder: Embedder, text: string): Promise<Float32Array | undefined> {
	try {
		const [vector] = await embedder.embed([text], { signal: AbortSignal.timeout(patienceMs) });
		return vector;
	} catch {
		return undefined; // the embedder has logged why; words are searched all the same
	}
}
