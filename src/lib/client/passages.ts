// A found passage as pieces to draw, and the address that opens it in its file.
import type { SearchAnswer, SearchResult } from '#lib/shared/api.ts';

export type Piece = { text: string; isMatch: boolean };

/** Cuts a text at its highlights; overlapping or foreign ranges do no harm. */
export function piecesOf(text: string, highlights: readonly (readonly [number, number])[]): Piece[] {
	const pieces: Piece[] = [];
	let at = 0;
	for (const [start, end] of [...highlights].sort((a, b) => a[0] - b[0])) {
		const from = Math.max(start, at);
		const to = Math.min(end, text.length);
		if (to <= from) continue;
		if (from > at) pieces.push({ text: text.slice(at, from), isMatch: false });
		pieces.push({ text: text.slice(from, to), isMatch: true });
		at = to;
	}
	if (at < text.length) pieces.push({ text: text.slice(at), isMatch: false });
	return pieces;
}

/** The words of a query, found again anywhere in a text: for the passages of a file's own page. */
export function highlightsOf(text: string, query: string): [number, number][] {
	const words = (query.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length > 1);
	if (words.length === 0) return [];
	// Letters and digits only, so that nothing needs escaping.
	const pattern = new RegExp(words.join('|'), 'giu');
	return Array.from(text.matchAll(pattern), (match) => [match.index, match.index + match[0].length]);
}

export function passageUrl({ file, page, passage, highlights }: SearchResult, query: string): string {
	const search = new URLSearchParams({ q: query });
	if (page !== null) search.set('page', String(page));
	const [first] = highlights;
	// A few words that are certain to stand in the file's text lead to the passage where there are no pages.
	search.set(
		'near',
		passage
			.slice(first ? first[0] : 0)
			.slice(0, 60)
			.trim()
	);
	// On a PDF's page the passage and its page stand at the top.
	const isOnTop = page !== null && file.file_type === 'application/pdf';
	return `/files/${file.id}?${search}${isOnTop ? '' : '#text'}`;
}

/** Whether the answer was found by meaning or by words. */
export function howFound({ mode, embedder }: SearchAnswer): string {
	if (mode === 'keyword') return 'Searched by words.';
	if (embedder.startsWith('lexical')) return 'Searched by words and their parts; no model is connected.';
	return `Searched by words and by meaning (${embedder}).`;
}
