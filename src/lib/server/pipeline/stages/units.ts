// The smallest pieces a chunk is made of: sentences, or parts of what has no sentences. Lazy and linear: a text of any
// length and shape costs the same per character.

export type Unit = {
	start: number;
	end: number;
	tokens: number;
	startsParagraph: boolean;
	/** Of the whole paragraph when this unit starts it; counted no further than `countLimit`. */
	paragraphTokens: number;
};

/** Nothing longer is kept in one piece, not even a "sentence" of a thousand words. */
export const maxUnitTokens = 120;
const windowChars = 8_000;
const countLimit = 1_000;

const sentences = new Intl.Segmenter('und', { granularity: 'sentence' });

export function* units(text: string): Generator<Unit> {
	for (const paragraph of paragraphs(text)) {
		const paragraphTokens = countTokens(text, paragraph.start, paragraph.end, countLimit);
		let startsParagraph = true;
		for (let from = paragraph.start; from < paragraph.end;) {
			const to = cutAt(text, from, Math.min(from + windowChars, paragraph.end), paragraph.end);
			for (const piece of pieces(text, from, to)) {
				yield {
					...piece,
					tokens: countTokens(text, piece.start, piece.end),
					startsParagraph,
					paragraphTokens
				};
				startsParagraph = false;
			}
			from = to;
		}
	}
}

/**
 * What a tokenizer would make of it, near enough for a budget: four Latin characters a token, two of most other
 * alphabets, one for each Chinese, Japanese or Korean character.
 */
export function countTokens(text: string, start = 0, end = text.length, limit = Infinity): number {
	let quarters = 0;
	for (let i = start; i < end && quarters < limit * 4; i++) quarters += quartersOf(text.charCodeAt(i));
	return Math.ceil(quarters / 4);
}

function quartersOf(code: number): number {
	if (code < 0x250) return 1;
	return code < 0x1100 ? 2 : 4;
}

function* paragraphs(text: string): Generator<{ start: number; end: number }> {
	const gap = /\n[ \t]*\n\s*/g;
	let start = 0;
	for (let match = gap.exec(text); match; match = gap.exec(text)) {
		if (match.index > start) yield { start, end: match.index };
		start = match.index + match[0].length;
	}
	if (start < text.length) yield { start, end: text.length };
}

function* pieces(text: string, from: number, to: number): Generator<{ start: number; end: number }> {
	// A line that goes on in small letters is the same sentence; any other line stands for itself, as in a list.
	const prose = text.slice(from, to).replace(/\n(?=\p{Ll})/gu, ' ');
	for (const { index, segment } of sentences.segment(prose)) {
		let start = from + index;
		const end = start + segment.length;
		while (start < end) {
			const limit = reach(text, start, end);
			const stop = cutAt(text, start, limit, end);
			yield { start, end: stop };
			start = stop;
		}
	}
}

/** How far `maxUnitTokens` reach from `start`. */
function reach(text: string, start: number, end: number): number {
	let at = start;
	for (let quarters = 0; at < end; at++) {
		quarters += quartersOf(text.charCodeAt(at));
		if (quarters > maxUnitTokens * 4) break;
	}
	return at;
}

/** `limit` moved back to the end of a word, or at least of a character; always beyond `start`. */
function cutAt(text: string, start: number, limit: number, end: number): number {
	if (limit >= end) return end;
	for (let at = limit; at > start + (limit - start) / 2; at--)
		if (isSpace(text.charCodeAt(at - 1))) return at;
	const isInsidePair = /[\uDC00-\uDFFF]/.test(text.charAt(limit)) && limit - 1 > start;
	return isInsidePair ? limit - 1 : limit;
}

function isSpace(code: number): boolean {
	return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0 || code === 0x3000;
}
