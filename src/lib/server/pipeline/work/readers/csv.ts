// CSV and its kin, row by row; the delimiter is told by the first lines. From a row on that is broken
// or has no end, it is text.
import { finished } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import type { Page } from '../../stage.ts';
import { decode } from './encoding.ts';
import { groupRows } from './rows.ts';
import type { Source } from './source.ts';
import { groupLines } from './text.ts';

/** Delimiters counted too: the parser's own limit leaves them out, and a row of nothing else has a cell for each. */
const maxRowBytes = 1024 ** 2;
const sampleChars = 64 * 1024;
const delimiters = [',', ';', '\t', '|'];

export async function* readCsv(source: Source): AsyncGenerator<Page> {
	const pieces = decode(source.path, (done) => source.tick({ done, total: source.sizeBytes, unit: 'bytes' }));
	const { sample, all } = await peek(pieces);
	const table = openTable(all, guessDelimiter(sample));
	yield* groupRows(table.rows());
	for await (const page of groupLines(table.unread())) yield { ...page, section: null };
}

function openTable(pieces: AsyncGenerator<string>, delimiter: string) {
	const rows: string[][] = [];
	/** What was given to the parser, without what lies before `end`: there the last whole row ended. */
	const held: Buffer[] = [];
	let heldFrom = 0;
	let given = 0;
	let end = 0;
	const parser = parse({
		delimiter,
		relax_column_count: true,
		relax_quotes: true,
		skip_empty_lines: true,
		on_record(row: string[], { bytes }) {
			rows.push(row);
			end = bytes;
		}
	});
	const ended = finished(parser.resume());
	ended.catch(() => undefined); // thrown below, after the rows before the broken one
	const give = async (piece: string): Promise<void> => {
		const bytes = Buffer.from(piece);
		held.push(bytes);
		given += bytes.length;
		await new Promise((resolve) => parser.write(bytes, resolve));
		if (given - end > maxRowBytes) parser.destroy(new CsvError('CSV_MAX_RECORD_SIZE', 'A row has no end.'));
		for (let first = held[0]; first && heldFrom + first.length <= end; first = held[0]) {
			heldFrom += first.length;
			held.shift();
		}
	};
	return {
		/** Taken as they are parsed, not from the parser's own buffer: that is lost when a later row is broken. */
		async *rows(): AsyncGenerator<string[]> {
			// By hand: the end of a `for await` would end the pieces too.
			for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
				await give(next.value);
				yield* rows.splice(0);
				if (parser.destroyed) break;
			}
			if (!parser.destroyed) parser.end();
			await Promise.allSettled([ended]);
			yield* rows.splice(0);
			await ended;
		},
		/** From the broken row on; nothing when every row was whole. */
		async *unread(): AsyncGenerator<string> {
			if (!parser.errored) return;
			yield Buffer.concat(held)
				.toString('utf8', end - heldFrom)
				.trimStart();
			yield* pieces;
		}
	};
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
