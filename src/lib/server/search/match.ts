// Where the words of a query stand in a text: the whole word, a word that begins with the last one, or (for texts that
// were found by likeness) a word spelled almost so.
import { foldText } from '#lib/server/embedder/fold.ts';
import type { Query } from './query.ts';

/** `word` is the query's. */
export type Match = { start: number; end: number; word: string };

/** In order, not overlapping. */
export type Matcher = (text: string) => Match[];

const wordPattern = /[\p{L}\p{N}\p{M}]+/gu;
const minLikeness = 0.6;

/** One matcher for many texts: each different word is judged once. */
export function createMatcher({ words, unspaced }: Query, { isLike = false } = {}): Matcher {
	const judged = new Map<string, string | undefined>();
	const last = words.at(-1);
	const judge = (folded: string): string | undefined => {
		if (words.includes(folded)) return folded;
		if (last !== undefined && folded.startsWith(last)) return last;
		return isLike ? words.find((word) => likeness(word, folded) >= minLikeness) : undefined;
	};
	const wordOf = (written: string): string | undefined => {
		if (!judged.has(written)) judged.set(written, judge(foldText(written)));
		return judged.get(written);
	};
	return (text) => {
		const matches: Match[] = [];
		for (const { 0: written, index: start } of text.matchAll(wordPattern)) {
			const word = wordOf(written);
			if (word !== undefined) matches.push({ start, end: start + written.length, word });
			else matches.push(...insideOf(written, start, unspaced));
		}
		return matches;
	};
}

/** Scripts without spaces: the words are inside what looks like one. */
function insideOf(run: string, offset: number, unspaced: readonly string[]): Match[] {
	const matches: Match[] = [];
	for (const word of unspaced) {
		const at = run.indexOf(word);
		if (at >= 0) matches.push({ start: offset + at, end: offset + at + word.length, word });
	}
	matches.sort((a, b) => a.start - b.start);
	return matches.filter((match, i) => i === 0 || match.start >= (matches[i - 1]?.end ?? 0));
}

/** Shared letter pairs of two words (Dice), 0 to 1; short words are only like themselves. */
export function likeness(a: string, b: string): number {
	if (a.length < 4 || b.length < 4 || Math.abs(a.length - b.length) > 4) return 0;
	const pairs = pairsOf(a);
	const others = pairsOf(b);
	let shared = 0;
	for (const pair of pairs) if (others.has(pair)) shared++;
	return (2 * shared) / (pairs.size + others.size);
}

function pairsOf(word: string): Set<string> {
	const padded = `_${word}_`;
	const pairs = new Set<string>();
	for (let i = 0; i + 2 <= padded.length; i++) pairs.add(padded.slice(i, i + 2));
	return pairs;
}
