// Several lists into one by reciprocal rank fusion: no list's score has to mean anything in another. What a list found
// by accident is dropped, because no result is better than noise.
import type { Candidate } from './candidates.ts';
import { createMatcher, type Match } from './match.ts';
import type { Found } from './passages.ts';
import { isTelling, type Query } from './query.ts';

export type Ranked = Found & { matches: Match[]; score: number };

type List = Candidate['list'];
type Places = Map<List, { place: number; score: number }>;
type Entry = { passage: Found; places: Places; matches: Match[]; coverage: number };

/** The usual constant: the first places matter, but not they alone. */
const smoothing = 60;
const weights: Record<List, number> = { words: 1, inside: 1, vector: 0.9, name: 0.7, some_words: 0.6 };
const bestScore = (weights.words + weights.vector) / (smoothing + 1);
/** Cosine: what current models give for unrelated texts lies below, for related ones well above. */
const minSemanticScore = 0.2;
const minLexicalScore = 0.05;
/** Share of the telling words of the query that a passage must hold when it does not hold all. */
const minCoverage = 0.5;

export function rank(
	found: readonly Found[],
	candidates: readonly Candidate[],
	query: Query,
	isSemantic: boolean
): Ranked[] {
	const places = placesOf(candidates);
	const exact = createMatcher(query);
	// Likeness of letters is what a lexical vector stands for, so its finds are shown by it.
	const like = isSemantic ? exact : createMatcher(query, { isLike: true });
	const toEntry = (passage: Found): Entry => {
		const own = places.get(keyOf(passage)) ?? new Map();
		const matches = (own.has('words') ? exact : like)(passage.text ?? passage.filename);
		return { passage, places: own, matches, coverage: coverageOf(matches, query) };
	};
	return found
		.map(toEntry)
		.filter((entry) => isGenuine(entry, isSemantic))
		.map((entry) => ({ ...entry.passage, matches: entry.matches, score: scoreOf(entry) }))
		.sort((a, b) => b.score - a.score || a.file_id.localeCompare(b.file_id) || a.ordinal - b.ordinal);
}

function placesOf(candidates: readonly Candidate[]): Map<string, Places> {
	const places = new Map<string, Places>();
	const lengths = new Map<List, number>();
	for (const candidate of candidates) {
		const place = (lengths.get(candidate.list) ?? 0) + 1;
		lengths.set(candidate.list, place);
		const known = places.get(keyOf(candidate)) ?? new Map();
		places.set(keyOf(candidate), known.set(candidate.list, { place, score: candidate.score }));
	}
	return places;
}

function coverageOf(matches: readonly Match[], { words }: Query): number {
	const telling = words.filter(isTelling);
	const wanted = telling.length > 0 ? telling : words;
	const held = new Set(matches.map((match) => match.word));
	return wanted.length === 0 ? 0 : wanted.filter((word) => held.has(word)).length / wanted.length;
}

function isGenuine({ places, coverage }: Entry, isSemantic: boolean): boolean {
	if (places.has('words') || places.has('inside') || places.has('name')) return true;
	if (places.has('some_words') && coverage >= minCoverage) return true;
	const near = places.get('vector')?.score ?? 0;
	return isSemantic ? near >= minSemanticScore : near >= minLexicalScore && coverage >= minCoverage;
}

function scoreOf({ places, coverage }: Entry): number {
	let score = 0;
	for (const [list, { place }] of places) {
		const share = list === 'some_words' ? coverage : 1;
		score += (share * weights[list]) / (smoothing + place);
	}
	return Math.min(1, score / bestScore);
}

function keyOf({ file_id, ordinal }: { file_id: string; ordinal: number }): string {
	return `${file_id}/${ordinal}`;
}
