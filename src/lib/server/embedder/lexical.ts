// The embedder that needs no model: words and runs of letters, hashed into a fixed number of dimensions. Texts that
// share words, or spell them alike, are near. It knows nothing of meaning, and the page says so.
import { setImmediate } from 'node:timers/promises';
import { foldText } from './fold.ts';
import type { Embedder } from './embedder.ts';

export const dimensions = 384;

const sliceMs = 8;
const gramWeight = 0.3;
/** Scripts written without spaces: each character is a word, and pairs tell more. */
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const wordPattern = /[\p{L}\p{N}]+/gu;

export function createLexicalEmbedder(): Embedder {
	return {
		name: 'lexical',
		model: `lexical-${dimensions}-1`,
		isSemantic: false,
		async embed(texts, { signal }) {
			const vectors: Float32Array[] = [];
			let sliceStart = performance.now();
			for (const text of texts) {
				vectors.push(embedText(text));
				if (performance.now() - sliceStart < sliceMs) continue;
				await setImmediate();
				signal.throwIfAborted();
				sliceStart = performance.now();
			}
			return vectors;
		}
	};
}

export function embedText(text: string): Float32Array {
	const counts = new Map<string, { count: number; weight: number }>();
	const add = (feature: string, weight: number): void => {
		const seen = counts.get(feature);
		if (seen) seen.count++;
		else counts.set(feature, { count: 1, weight });
	};
	for (const [word] of foldText(text).matchAll(wordPattern)) addWord(word, add);
	const vector = new Float32Array(dimensions);
	for (const [feature, { count, weight }] of counts) {
		const hash = hashOf(feature);
		const at = (hash >>> 1) % dimensions;
		vector[at] = (vector[at] ?? 0) + (hash & 1 ? weight : -weight) * (1 + Math.log(count));
	}
	return normalise(vector);
}

function addWord(word: string, add: (feature: string, weight: number) => void): void {
	if (unspaced.test(word)) {
		const letters = [...word];
		letters.forEach((letter, i) => {
			add(letter, 0.5);
			if (i > 0) add(`${letters[i - 1]}${letter}`, 1);
		});
		return;
	}
	// Short words are mostly the glue of a language: they say little about the text.
	add(`=${word}`, word.length <= 2 ? 0.2 : word.length === 3 ? 0.5 : 1);
	if (word.length < 4) return;
	const padded = `_${word.slice(0, 40)}_`;
	for (let i = 0; i + 3 <= padded.length; i++) add(padded.slice(i, i + 3), gramWeight);
}

/** FNV-1a with a final mix, so that the low bits are as good as the high ones. */
function hashOf(text: string): number {
	let hash = 2_166_136_261;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619);
	hash ^= hash >>> 16;
	hash = Math.imul(hash, 0x7feb352d);
	hash ^= hash >>> 15;
	return hash >>> 0;
}

function normalise(vector: Float32Array): Float32Array {
	const length = Math.hypot(...vector);
	// A text without a single word is as far from every query as can be said in one vector.
	if (length === 0) return vector.fill(1 / Math.sqrt(dimensions), 0, dimensions);
	return vector.map((value) => value / length);
}
