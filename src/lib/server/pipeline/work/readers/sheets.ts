// Spreadsheets (Excel and OpenDocument) by SheetJS: each sheet is a table, cells as the program would show them.
import { readFile } from 'node:fs/promises';
import { read, utils, type WorkSheet } from '@e965/xlsx';
import type { Page } from '../../stage.ts';
import { checkArchive, withArchive } from '../archive.ts';
import { orDamaged } from './damage.ts';
import { refuseEncrypted } from './odf.ts';
import { groupRows } from './rows.ts';
import { passage, type Source } from './source.ts';

const maxRows = 200_000;
/** A single cell far out would otherwise make every row as wide. */
const maxColumns = 500;

/** Of dates in the format that is another one in every country. */
const dateNF = 'yyyy-mm-dd';

const cut = {
	code: 'table.too_large',
	message: `Of a large sheet only the first ${maxRows.toLocaleString('en')} rows and ${maxColumns} columns were read.`
};

export async function* readSheets(source: Source): AsyncGenerator<Page> {
	await withArchive(source.path, refuseEncrypted);
	await checkArchive(source.path);
	const bytes = await readFile(source.path);
	const book = await orDamaged(() =>
		// One row more than is read tells that there are more.
		read(bytes, {
			dense: true,
			cellFormula: false,
			cellHTML: false,
			cellDates: true,
			dateNF,
			sheetRows: maxRows + 1
		})
	);
	let isCut = false;
	for (const [i, name] of book.SheetNames.entries()) {
		const sheet = book.Sheets[name];
		const range = sheet && rangeOf(sheet);
		if (range) {
			isCut ||= range.isCut;
			yield* groupRows(rowsOf(sheet, range), name);
		}
		source.tick({ done: i + 1, total: book.SheetNames.length, unit: 'pages' });
	}
	if (isCut) yield { ...passage(''), warning: cut };
}

type Range = { firstColumn: number; lastColumn: number; lastRow: number; isCut: boolean };

/** Where there are cells; what a sheet says of that itself may be wrong. */
function rangeOf(sheet: WorkSheet): Range | undefined {
	const rows: readonly (readonly unknown[] | undefined)[] = sheet['!data'] ?? [];
	let firstColumn = Infinity;
	let lastColumn = -1;
	for (const row of rows) {
		const first = row?.findIndex((cell) => cell !== undefined) ?? -1;
		if (!row || first < 0) continue;
		firstColumn = Math.min(firstColumn, first);
		lastColumn = Math.max(lastColumn, row.length - 1);
	}
	if (lastColumn < 0) return undefined;
	const widest = firstColumn + maxColumns - 1;
	return {
		firstColumn,
		lastColumn: Math.min(lastColumn, widest),
		lastRow: Math.min(rows.length, maxRows) - 1,
		isCut: lastColumn > widest || rows.length > maxRows || sheet['!fullref'] !== undefined
	};
}

function rowsOf(sheet: WorkSheet, { firstColumn, lastColumn, lastRow }: Range): string[][] {
	return utils.sheet_to_json<string[]>(sheet, {
		header: 1,
		raw: false,
		defval: '',
		blankrows: false,
		range: { s: { r: 0, c: firstColumn }, e: { r: lastRow, c: lastColumn } },
		dateNF
	});
}
