// Lines of a decoded text. A line without an end is handed on in pieces, so that no file can fill memory.

const maxLineChars = 8_000;

export type Line = { text: string; number: number };

export async function* lines(pieces: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Line> {
	let rest = '';
	let number = 1;
	for await (const piece of pieces) {
		rest += piece;
		let from = 0;
		for (;;) {
			const end = rest.indexOf('\n', from);
			if (end < 0) break;
			yield { text: withoutReturn(rest.slice(from, end)), number: number++ };
			from = end + 1;
		}
		rest = rest.slice(from);
		while (rest.length > maxLineChars) {
			const cut = cutBefore(rest, maxLineChars);
			yield { text: rest.slice(0, cut), number };
			rest = rest.slice(cut);
		}
	}
	if (rest !== '') yield { text: withoutReturn(rest), number };
}

/** The last place at or before `limit` between two words, or else between two characters. */
export function cutBefore(text: string, limit: number): number {
	const space = text.lastIndexOf(' ', limit);
	if (space > limit / 2) return space + 1;
	const isInsidePair = /[\uD800-\uDBFF]/.test(text.charAt(limit - 1));
	return isInsidePair ? limit - 1 : limit;
}

function withoutReturn(line: string): string {
	return line.endsWith('\r') ? line.slice(0, -1) : line;
}
