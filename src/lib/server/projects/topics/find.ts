// Topics of a project, without a model: a phrase that some passages share and most do not, whose passages lie close to
// each other. Pure: the same passages give the same topics in the same order.
import { type Phrase, phrasesOf } from './phrases.ts';

export type Passage = { fileId: string; ordinal: number; text: string; vector: number[] | undefined };
export type Topic = {
	key: string;
	title: string;
	confidence: number;
	/** The best first. */
	support: { fileId: string; ordinal: number }[];
};

/** From before, with what members made of it. */
export type KnownTopic = { key: string; status: string };

const maxTopics = 12;
const maxSupport = 40;
const minSupport = 2;
/** A phrase in more of the passages than this says nothing about any of them, once there are a few. */
const maxShare = 0.8;
const fewPassages = 10;
/** A single word, where there are many, must be rarer still: "file", "package" name nothing among their like. */
const maxShareOfWord = 0.15;
const manyPassages = 40;
/** Two topics with more of their passages in common are one. */
const maxOverlap = 0.5;
/** By how much another must be better than one that is shown already. */
const loyalty = 1.5;
/** Longer phrases name more exactly. */
const worthOf = [0, 0.6, 2.2, 2.6];

type Candidate = {
	key: string;
	surfaces: Map<string, number>;
	words: number;
	passages: Set<number>;
	files: Set<string>;
};

/**
 * Tags are found wherever they stand. What is shown already gives way only to what is clearly better, and what was
 * dismissed takes nobody's place.
 */
export function findTopics(passages: readonly Passage[], known: readonly KnownTopic[] = []): Topic[] {
	const statusOf = new Map(known.map(({ key, status }) => [key, status]));
	const all = candidatesOf(passages);
	const chosen = all.filter(({ key }) => statusOf.get(key) === 'accepted');
	const candidates = all
		.map((candidate) => ({
			candidate,
			worth: worth(candidate, passages.length) * (statusOf.get(candidate.key) === 'open' ? loyalty : 1)
		}))
		.filter(({ worth }) => worth > 0)
		.sort((a, b) => b.worth - a.worth || (a.candidate.key < b.candidate.key ? -1 : 1));
	let room = maxTopics;
	for (const { candidate } of candidates) {
		if (room === 0) break;
		if (chosen.some((other) => isSame(candidate, other))) continue;
		chosen.push(candidate);
		if (statusOf.get(candidate.key) !== 'dismissed') room -= 1;
	}
	return chosen.map((candidate) => toTopic(candidate, passages)).sort((a, b) => b.confidence - a.confidence);
}

function candidatesOf(passages: readonly Passage[]): Candidate[] {
	const byKey = new Map<string, Candidate>();
	passages.forEach(({ text, fileId }, at) => {
		for (const phrase of phrasesOf(text)) note(byKey, phrase, at, fileId);
	});
	return [...byKey.values()].filter(({ passages }) => passages.size >= minSupport);
}

function note(
	byKey: Map<string, Candidate>,
	{ key, surface, words }: Phrase,
	at: number,
	fileId: string
): void {
	let known = byKey.get(key);
	if (!known) {
		known = { key, surfaces: new Map(), words, passages: new Set(), files: new Set() };
		byKey.set(key, known);
	}
	known.surfaces.set(surface, (known.surfaces.get(surface) ?? 0) + 1);
	known.passages.add(at);
	known.files.add(fileId);
}

function worth(candidate: Candidate, total: number): number {
	const { passages, files, words } = candidate;
	const share = passages.size / total;
	if (total > fewPassages && share > maxShare) return 0;
	if (words === 1 && total > manyPassages && share > maxShareOfWord) return 0;
	const isRare = Math.log(1 + total / passages.size);
	const breadth = Math.sqrt(passages.size) * (1 + Math.log(files.size));
	return breadth * isRare * (worthOf[words] ?? 1) * (1 + insistence(candidate));
}

/** What a passage is about comes back in it; a way of speaking stands there once. 0: once in each, 1: twice and more. */
function insistence({ surfaces, passages }: Candidate): number {
	const times = [...surfaces.values()].reduce((sum, count) => sum + count, 0);
	return Math.min(1, times / passages.size - 1);
}

function isSame(a: Candidate, b: Candidate): boolean {
	const wordsOfB = b.key.split(' ');
	if (a.key.split(' ').some((one) => wordsOfB.some((other) => isSameWord(one, other)))) return true;
	return overlap(a.passages, b.passages) > maxOverlap;
}

/** Also with another ending: policy and policies, Ausdruck and Ausdrücke. */
function isSameWord(a: string, b: string): boolean {
	const [short, long] = a.length < b.length ? [a, b] : [b, a];
	if (short.length < 5) return short.length > 3 && short === long;
	return long.length <= short.length + 2 && long.startsWith(short.slice(0, -1));
}

/** The share of what both have together that they have in common. */
export function overlap<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): number {
	let common = 0;
	for (const one of a) if (b.has(one)) common += 1;
	return common === 0 ? 0 : common / (a.size + b.size - common);
}

function toTopic(candidate: Candidate, passages: readonly Passage[]): Topic {
	const { key, surfaces, words, passages: own, files } = candidate;
	const supporting = [...own].flatMap((at) => passages[at] ?? []);
	const { ranked, cohesion } = byCloseness(supporting);
	const breadth = Math.min(1, own.size / 6) * 0.5 + Math.min(1, files.size / 3) * 0.5;
	const exactness = (words > 1 ? 0.5 : 0.2) + 0.5 * insistence(candidate);
	const confidence = 0.4 * cohesion + 0.35 * breadth + 0.25 * exactness;
	return {
		key,
		title: titleOf(surfaces),
		confidence: Math.round(Math.min(1, Math.max(0, confidence)) * 100) / 100,
		support: ranked.slice(0, maxSupport).map(({ fileId, ordinal }) => ({ fileId, ordinal }))
	};
}

/** The passages nearest to the middle of all first, and how near they are on average; half, where there are no vectors. */
function byCloseness(passages: readonly Passage[]): { ranked: Passage[]; cohesion: number } {
	const vectors = passages.map(({ vector }) => vector && unit(vector));
	const dimensions = vectors.find((vector) => vector)?.length;
	const known = vectors.filter((vector) => vector?.length === dimensions);
	if (dimensions === undefined || known.length < 2) return { ranked: [...passages], cohesion: 0.5 };
	const middle = unit(
		Array.from({ length: dimensions }, (_, i) => known.reduce((sum, vector) => sum + (vector?.[i] ?? 0), 0))
	);
	const closeness = vectors.map((vector) => (vector?.length === dimensions ? dot(vector, middle) : 0));
	const ranked = passages
		.map((passage, i) => ({ passage, close: closeness[i] ?? 0, i }))
		.sort((a, b) => b.close - a.close || a.i - b.i)
		.map(({ passage }) => passage);
	return { ranked, cohesion: closeness.reduce((sum, close) => sum + close, 0) / closeness.length };
}

function unit(vector: readonly number[]): number[] {
	const length = Math.hypot(...vector) || 1;
	return vector.map((value) => value / length);
}

function dot(a: readonly number[], b: readonly number[]): number {
	return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

/** The form that is used most, as a name begins. */
function titleOf(surfaces: ReadonlyMap<string, number>): string {
	const [best = ''] = [...surfaces].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0] ?? [];
	const title = [...best].slice(0, 100).join('');
	return title.charAt(0).toUpperCase() + title.slice(1);
}
