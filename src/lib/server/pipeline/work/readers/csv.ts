// CSV and its kin: every row carries the names of its columns, since a passage is read without the header above it.
import { finished } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import type { Page } from '../../stage.ts';
import { decode } from './encoding.ts';
import { maxPageChars, passage, type Source } from './source.ts';

const rowsPerPage = 50;
const maxRowBytes = 1024 ** 2;
const sampleChars = 64 * 1024;
const delimiters = [',', ';', '\t', '|'];

export async function* readCsv(source: Source): AsyncGenerator<Page> {
	const pieces = decode(source.path, (done) => source.tick({ done, total: source.sizeBytes, unit: 'bytes' }));
	const { sample, all } = await peek(pieces);
	yield* groupRows(parseRows(all, guessDelimiter(sample)));
}

/** Rows are taken as they are parsed, not from the parser's own buffer: that is lost when a later row is broken. */
async function* parseRows(pieces: AsyncIterable<string>, delimiter: string): AsyncGenerator<string[]> {
	const rows: string[][] = [];
	const parser = parse({
		delimiter,
		relax_column_count: true,
		relax_quotes: true,
		skip_empty_lines: true,
		max_record_size: maxRowBytes,
		on_record: (row: string[]) => void rows.push(row)
	});
	const ended = finished(parser.resume());
	ended.catch(() => undefined); // thrown below, after the rows before the broken one
	for await (const piece of pieces) {
		await new Promise((resolve) => parser.write(piece, resolve));
		yield* rows.splice(0);
		if (parser.destroyed) break;
	}
	if (!parser.destroyed) parser.end();
	await Promise.allSettled([ended]);
	yield* rows.splice(0);
	await ended;
}

async function* groupRows(rows: AsyncIterable<string[]>): AsyncGenerator<Page> {
	let header: string[] | undefined;
	let count = 0;
	let group: string[] = [];
	let chars = 0;
	const flush = (): Page => {
		const page = passage(group.join('\n'), `rows ${count - group.length + 1}–${count}`);
		group = [];
		chars = 0;
		return page;
	};
	try {
		for await (const row of rows) {
			if (!header) {
				header = isHeader(row) ? row : [];
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
		const message = `The table could be read up to row ${count} only.`;
		yield { number: null, section: null, text: '', warning: { code: 'file.damaged', message } };
	}
	if (group.length > 0) yield flush();
	else if (count === 0 && header && header.length > 0) yield passage(header.join('\t'));
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
		const name = header[i]?.trim();
		return name ? `${name}: ${value}` : value;
	});
	return cells.filter(Boolean).join('; ');
}

/** The one that parts the first lines most evenly. */
export function guessDelimiter(sample: string): string {
	const lines = sample
		.replace(/"[^"]*"/g, '')
		.split(/\r?\n/)
		.slice(0, 20)
		.filter((line) => line.trim() !== '');
	const score = (delimiter: string): number => {
		const counts = lines.map((line) => line.split(delimiter).length - 1);
		const first = counts[0] ?? 0;
		return first === 0 ? 0 : first * counts.filter((count) => count === first).length;
	};
	return delimiters.toSorted((a, b) => score(b) - score(a))[0] ?? ',';
}

async function peek(
	pieces: AsyncGenerator<string>
): Promise<{ sample: string; all: AsyncGenerator<string> }> {
	let sample = '';
	for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
		sample += next.value;
		if (sample.length >= sampleChars) break;
	}
	return {
		sample: sample.slice(0, sampleChars),
		all: (async function* () {
			yield sample;
			yield* pieces;
		})()
	};
}
