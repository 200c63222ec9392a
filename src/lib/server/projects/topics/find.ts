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

const maxTopics = 12;
const maxSupport = 40;
const minSupport = 2;
/** A phrase in more of the passages than this says nothing about any of them, once there are a few. */
const maxShare = 0.8;
const fewPassages = 10;
/** Two topics with more of their passages in common are one. */
const maxOverlap = 0.5;
/** Longer phrases name more exactly. */
const worthOf = [0, 1, 2.2, 2.6];

type Candidate = {
	key: string;
	surfaces: Map<string, number>;
	words: number;
	passages: Set<number>;
	files: Set<string>;
};

/** `accepted`: keys of topics that members made tags: they are found wherever they stand. */
export function findTopics(passages: readonly Passage[], accepted: readonly string[] = []): Topic[] {
	const all = candidatesOf(passages);
	const chosen = all.filter(({ key }) => accepted.includes(key));
	const most = chosen.length + maxTopics;
	const candidates = all
		.map((candidate) => ({ candidate, worth: worth(candidate, passages.length) }))
		.filter(({ worth }) => worth > 0)
		.sort((a, b) => b.worth - a.worth || (a.candidate.key < b.candidate.key ? -1 : 1));
	for (const { candidate } of candidates) {
		if (chosen.length === most) break;
		if (!chosen.some((other) => isSame(candidate, other))) chosen.push(candidate);
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

function worth({ passages, files, words }: Candidate, total: number): number {
	const share = passages.size / total;
	if (total > fewPassages && share > maxShare) return 0;
	const isRare = Math.log(1 + total / passages.size);
	return Math.sqrt(passages.size) * isRare * (worthOf[words] ?? 1) * (1 + Math.log(files.size));
}

function isSame(a: Candidate, b: Candidate): boolean {
	const wordsOfB = new Set(b.key.split(' '));
	if (a.key.split(' ').some((word) => word.length > 3 && wordsOfB.has(word))) return true;
	return overlap(a.passages, b.passages) > maxOverlap;
}

/** The share of what both have together that they have in common. */
export function overlap<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): number {
	let common = 0;
	for (const one of a) if (b.has(one)) common += 1;
	return common === 0 ? 0 : common / (a.size + b.size - common);
}

function toTopic(
	{ key, surfaces, words, passages: own, files }: Candidate,
	passages: readonly Passage[]
): Topic {
	const supporting = [...own].flatMap((at) => passages[at] ?? []);
	const { ranked, cohesion } = byCloseness(supporting);
	const breadth = Math.min(1, own.size / 6) * 0.5 + Math.min(1, files.size / 3) * 0.5;
	const exactness = words > 1 ? 1 : 0.6;
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
