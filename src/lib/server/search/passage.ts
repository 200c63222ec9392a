// The part of a chunk that is shown: about three lines around the best matches, whole words only.
import type { Match } from './match.ts';

export type Passage = { passage: string; highlights: [number, number][] };

const wantedChars = 300;
/** So far back a sentence's start is worth showing. */
const leadChars = 80;

export function cutPassage(text: string, matches: readonly Match[]): Passage {
	const start = startOf(text, bestWindow(matches));
	const end = endOf(text, start);
	const inside = matches.filter((match) => match.start >= start && match.end <= end);
	return {
		passage: text.slice(start, end),
		highlights: inside.map((match) => [match.start - start, match.end - start])
	};
}

/** Where the window with the most different words begins, then the one with the most words. */
function bestWindow(matches: readonly Match[]): number {
	let best = { start: matches[0]?.start ?? 0, score: 0 };
	for (const [i, first] of matches.entries()) {
		const inside = matches.slice(i).filter((match) => match.end <= first.start + wantedChars - leadChars);
		const score = new Set(inside.map((match) => match.word)).size * 100 + inside.length;
		if (score > best.score) best = { start: first.start, score };
	}
	return best.start;
}

function startOf(text: string, matchStart: number): number {
	if (matchStart <= leadChars) return 0;
	const lead = text.slice(matchStart - leadChars, matchStart);
	const sentence = [...lead.matchAll(/[.!?…。]\s+|\n+/g)].at(0);
	if (sentence) return matchStart - leadChars + sentence.index + sentence[0].length;
	const space = lead.search(/\s/);
	return space < 0 ? matchStart : matchStart - leadChars + space + 1;
}

function endOf(text: string, start: number): number {
	const limit = start + wantedChars;
	if (limit >= text.length) return text.length;
	const space = text.slice(start, limit + 1).search(/\s\S*$/);
	if (space > wantedChars / 2) return start + space;
	const isInsidePair = /[\uDC00-\uDFFF]/.test(text.charAt(limit));
	return isInsidePair ? limit - 1 : limit;
}
