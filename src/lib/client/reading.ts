// A file's extracted text in parts small enough to draw: its pages, or pieces of a text that has none.
export type Part = { page: number | null; text: string };

/** Pages are separated by form feeds. */
const pageBreak = '\f';
const pieceLength = 4000;
/** Before a passage's beginning, and from it on. */
const leadLength = 80;
const excerptLength = 400;

export function partsOf(text: string, hasPages: boolean): Part[] {
	if (hasPages) return text.split(pageBreak).map((page, i) => ({ page: i + 1, text: flowing(page.trim()) }));
	const parts: Part[] = [];
	for (let at = 0; at < text.length;) {
		const end = endOfPiece(text, at);
		parts.push({ page: null, text: text.slice(at, end) });
		at = end;
	}
	return parts;
}

/** The part that a search result leads to; the first one when nothing fits. */
export function findPart(parts: readonly Part[], wanted: { page: number | null; near: string }): number {
	const byPage = wanted.page === null ? -1 : parts.findIndex(({ page }) => page === wanted.page);
	if (byPage >= 0) return byPage;
	const pattern = loosePattern(wanted.near);
	const byWords = pattern ? parts.findIndex(({ text }) => pattern.test(text)) : -1;
	return Math.max(0, byWords);
}

/** Where the words of a passage begin in a text; -1 when they are not in it. White space may differ. */
export function placeOf(text: string, near: string): number {
	return loosePattern(near)?.exec(text)?.index ?? -1;
}

/** The words around a passage's beginning, as one line; they begin and end with whole words. */
export function excerptOf(text: string, near: string): string {
	const at = Math.max(0, placeOf(text, near));
	const from = at > leadLength ? text.slice(0, at - leadLength).search(/\S*$/) : 0;
	const cut = text.slice(from, at + excerptLength).replace(/\s+/g, ' ');
	const isWhole = at + excerptLength >= text.length;
	return `${from > 0 ? '… ' : ''}${isWhole ? cut : `${cut.replace(/\S*$/, '')}…`}`;
}

function loosePattern(near: string): RegExp | undefined {
	const words = near.trim().split(/\s+/).filter(Boolean);
	if (words.length === 0) return undefined;
	return new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'u');
}

// A page breaks its lines where its paper ends; a screen is wider or narrower. A short line was meant to end.
function flowing(page: string): string {
	return page.replace(/([^\n]{50})\n(?=[^\n])/g, '$1 ');
}

// At a paragraph's end where there is one, else at a line's, else in the middle of a line that never ends.
function endOfPiece(text: string, from: number): number {
	const limit = from + pieceLength;
	if (limit >= text.length) return text.length;
	for (const separator of ['\n\n', '\n', ' ']) {
		const at = text.lastIndexOf(separator, limit);
		if (at > from) return at + separator.length;
	}
	return limit;
}
