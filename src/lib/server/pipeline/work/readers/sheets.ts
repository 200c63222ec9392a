// Spreadsheets (Excel and OpenDocument) by SheetJS: each sheet is a table, cells as the program would show them.
import { readFile } from 'node:fs/promises';
import { read, utils, type WorkSheet } from '@e965/xlsx';
import type { Page } from '../../stage.ts';
import { checkArchive } from '../archive.ts';
import { orDamaged } from './damage.ts';
import { groupRows } from './rows.ts';
import type { Source } from './source.ts';

const maxRows = 200_000;
/** A single cell far out would otherwise make every row as wide. */
const maxColumns = 500;

export async function* readSheets(source: Source): AsyncGenerator<Page> {
	await checkArchive(source.path);
	const bytes = await readFile(source.path);
	const book = await orDamaged(() =>
		read(bytes, { dense: true, cellFormula: false, cellHTML: false, cellDates: true, sheetRows: maxRows })
	);
	for (const [i, name] of book.SheetNames.entries()) {
		const sheet = book.Sheets[name];
		if (sheet) yield* groupRows(rowsOf(sheet), name);
		source.tick({ done: i + 1, total: book.SheetNames.length, unit: 'pages' });
	}
}

function rowsOf(sheet: WorkSheet): string[][] {
	if (!sheet['!ref']) return [];
	const range = utils.decode_range(sheet['!ref']);
	range.e.c = Math.min(range.e.c, range.s.c + maxColumns - 1);
	return utils.sheet_to_json<string[]>(sheet, {
		header: 1,
		raw: false,
		defval: '',
		blankrows: false,
		range,
		dateNF: 'yyyy-mm-dd'
	});
}
