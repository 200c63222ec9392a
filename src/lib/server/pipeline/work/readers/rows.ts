// Tables as passages: every row carries the names of its columns, since a passage is read without the header above it.
import { CsvError } from 'csv-parse';
import type { Page } from '../../stage.ts';
import { maxPageChars, passage } from './source.ts';

type Rows = AsyncIterable<string[]> | Iterable<string[]>;

const rowsPerPage = 50;
/** Every row carries them: a few long ones would make a large text of a small file. */
const maxNameChars = 100;

export async function* groupRows(rows: Rows, sheet?: string): AsyncGenerator<Page> {
	let header: string[] | undefined;
	let count = 0;
	let group: string[] = [];
	let chars = 0;
	const flush = (): Page => {
		const range = `rows ${count - group.length + 1}–${count}`;
		const page = passage(group.join('\n'), sheet === undefined ? range : `${sheet}, ${range}`);
		group = [];
		chars = 0;
		return page;
	};
	try {
		for await (const row of rows) {
			if (!header) {
				header = isHeader(row) ? row.map((name) => name.trim().slice(0, maxNameChars)) : [];
				if (header.length > 0) continue;
			}
			const line = describe(row, header);
			if (group.length >= rowsPerPage || (group.length > 0 && chars + line.length > maxPageChars))
				yield flush();
			group.push(line);
			chars += line.length + 1;
			count++;
		}
	} catch (error) {
		if (!(error instanceof CsvError)) throw error;
		const message = `The table could be read up to row ${count} only; what follows was read as text.`;
		yield { number: null, section: null, text: '', warning: { code: 'file.damaged', message } };
	}
	if (group.length > 0) yield flush();
	else if (count === 0 && header && header.length > 0) yield passage(header.join('\t'), sheet ?? null);
}

/** The first row names the columns unless it looks like any other row: numbers, gaps or repetitions. */
function isHeader(row: readonly string[]): boolean {
	const names = row.map((cell) => cell.trim());
	const isDistinct = new Set(names).size === names.length;
	return isDistinct && names.every((name) => name !== '' && !/^[-+]?[\d.,\s]+%?$/.test(name));
}

function describe(row: readonly string[], header: readonly string[]): string {
	const cells = row.map((cell, i) => {
		const value = cell.trim().replace(/\s*\n\s*/g, ' ');
		if (value === '') return '';
		const name = header[i];
		return name ? `${name}: ${value}` : value;
	});
	return cells.filter(Boolean).join('; ');
}
