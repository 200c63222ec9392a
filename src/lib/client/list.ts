// What of the rows is shown, and in which order: the same as files/view.ts does on the server, for the rows that the
// browser has, those on their way included.
import type { Status } from '#lib/shared/files.ts';
import { kinds } from '#lib/shared/kinds.ts';
import { isFiltered, type ListView, shows, type Sort, statusOrder } from '#lib/shared/list-view.ts';
import type { Row } from './rows.ts';
import { fileTypeOf } from './row-view.ts';

/** `rows` stand newest first. */
export function rowsInView(rows: readonly Row[], view: ListView): readonly Row[] {
	const wanted = isFiltered(view) ? rows.filter((row) => isWanted(row, view)) : rows;
	const compare = comparisons[view.sort];
	return compare ? wanted.toSorted(compare) : wanted;
}

function isWanted(row: Row, { status, type, name }: ListView): boolean {
	if (status && !(shows[status].statuses as readonly Status[]).includes(statusOf(row))) return false;
	if (type && !(kinds[type].types as readonly string[]).includes(fileTypeOf(row))) return false;
	return pathOf(row).toLowerCase().includes(name.toLowerCase());
}

const byName = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

// Sorting is stable, so what is equal stays newest first.
const comparisons: Record<Sort, ((a: Row, b: Row) => number) | undefined> = {
	newest: undefined,
	name: (a, b) => byName.compare(nameOf(a), nameOf(b)),
	size: (a, b) => sizeOf(b) - sizeOf(a),
	status: (a, b) => statusOrder.indexOf(statusOf(a)) - statusOrder.indexOf(statusOf(b))
};

function nameOf({ file, upload }: Row): string {
	return file ? file.filename : upload.file.name;
}

/** A word of the name or of the folder, or both with what is between. */
function pathOf(row: Row): string {
	const { folder } = row.file ?? row.upload;
	return folder === '' ? nameOf(row) : `${folder}/${nameOf(row)}`;
}

function sizeOf({ file, upload }: Row): number {
	return file ? file.size_bytes : upload.file.size;
}

function statusOf({ file, upload }: Row): Status {
	if (file) return file.status;
	return upload.state === 'failed' ? 'failed' : 'processing';
}
