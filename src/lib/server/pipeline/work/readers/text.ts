// Plain text and source code: groups of lines that end at an empty line where there is one.
import type { Page } from '../../stage.ts';
import { decode } from './encoding.ts';
import { lines } from './lines.ts';
import { maxPageChars, passage, type Source } from './source.ts';

const wantedLines = 80;
const maxLines = 120;

export function readText(source: Source): AsyncGenerator<Page> {
	const pieces = decode(source.path, (done) => source.tick({ done, total: source.sizeBytes, unit: 'bytes' }));
	return groupLines(pieces);
}

export async function* groupLines(pieces: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Page> {
	let group: string[] = [];
	let chars = 0;
	let first = 1;
	let last = 1;
	const flush = (): Page => {
		const page = passage(group.join('\n'), first === last ? `line ${first}` : `lines ${first}–${last}`);
		group = [];
		chars = 0;
		return page;
	};
	for await (const { text, number } of lines(pieces)) {
		if (group.length === 0) first = number;
		const isFull = group.length >= maxLines || chars + text.length > maxPageChars;
		if (group.length > 0 && isFull) {
			yield flush();
			first = number;
		}
		group.push(text);
		chars += text.length + 1;
		last = number;
		if (text.trim() === '' && group.length >= wantedLines) yield flush();
	}
	if (group.length > 0) yield flush();
}
