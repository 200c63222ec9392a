// The phrases of a passage: one to three words in a row that could name a topic. Pure, and the same for the same text.
import { foldText } from '../../embedder/fold.ts';
import { glue } from '../../embedder/glue.ts';

export type Phrase = {
	/** By which phrases are the same: folded, without the s of a plural. */
	key: string;
	/** As it stands in the text. */
	surface: string;
	words: number;
};

const longest = 3;
const word = /[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]*/gu;
/** Nothing that names something goes beyond these. */
const boundary = /[.!?;:,()[\]{}"“”„«»|/\\<>=_#$%&*+~^@`–—•\n\t]+|\s-+\s/u;

/** What may stand inside a name. */
const links = new Set('of for de du des del la von für'.split(' '));
/** "l’archive" is "archive". */
const elided = /^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)['’](?=\p{L})/iu;

export function phrasesOf(text: string): Phrase[] {
	return text.split(boundary).flatMap((part) => phrasesIn([...part.matchAll(word)].map(([found]) => found)));
}

function phrasesIn(words: readonly string[]): Phrase[] {
	const stems = words.map(stemOf);
	const phrases: Phrase[] = [];
	for (let from = 0; from < words.length; from += 1) {
		for (let size = 1; size <= longest && from + size <= words.length; size += 1) {
			const inside = stems.slice(from, from + size);
			if (!isName(inside, words.slice(from, from + size))) continue;
			const key = inside.map((stem, i) => stem ?? foldText(words[from + i] ?? '')).join(' ');
			if (size === 1 && key.length < 4) continue;
			const surface = words
				.slice(from, from + size)
				.join(' ')
				.replace(elided, '');
			phrases.push({ key, surface, words: size });
		}
	}
	return phrases;
}

/** "cost of living" is one, "cost of the" and "submit a bug" are none. */
function isName(stems: readonly (string | undefined)[], words: readonly string[]): boolean {
	if (stems[0] === undefined || stems.at(-1) === undefined) return false;
	if (new Set(stems).size < stems.length) return false;
	return stems.every((stem, i) => stem !== undefined || links.has((words[i] ?? '').toLowerCase()));
}

/** undefined: it says nothing by itself. */
function stemOf(surface: string): string | undefined {
	const bare = surface.toLowerCase().replace(elided, '');
	const folded = foldText(bare).replace(/['’]s?$/u, '');
	if (folded.length < 3 || glue.has(folded) || /^[\d'’-]+$/u.test(folded)) return undefined;
	return folded.length > 4 && /[^s]s$/u.test(folded) ? folded.slice(0, -1) : folded;
}
