import { describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { type ListView, readView, viewParams } from '#lib/shared/list-view.ts';
import { aFile } from '../../../tests/support/a-file.ts';
import { rowsInView } from './list.ts';
import type { Row } from './rows.ts';
import { Selection } from './selection.svelte.ts';

const rowOf = (changes: Partial<StoredFile>): Row => {
	const file = aFile(changes);
	return { key: file.id, place: { batchAt: 0, index: 0 }, upload: undefined, file };
};
const rows = [
	rowOf({ id: '1', filename: 'Report 10.pdf', size_bytes: 10, status: 'completed' }),
	rowOf({ id: '2', filename: 'report 9.pdf', size_bytes: 30, status: 'failed' }),
	rowOf({
		id: '3',
		filename: 'harbour.jpg',
		folder: 'Trips/2026',
		file_type: 'image/jpeg',
		size_bytes: 20,
		status: 'pending'
	})
];
const shown = (view: Partial<ListView>) =>
	rowsInView(rows, { ...readView(new URLSearchParams()), ...view }).map(({ key }) => key);

describe('the view of a list', () => {
	it('is the list itself as long as nothing is asked for', () => {
		expect(rowsInView(rows, readView(new URLSearchParams()))).toBe(rows);
	});

	it('filters by status, type, name and folder', () => {
		expect(shown({ status: 'moving' })).toEqual(['3']);
		expect(shown({ type: 'pdf' })).toEqual(['1', '2']);
		expect(shown({ name: 'REPORT' })).toEqual(['1', '2']);
		expect(shown({ name: 'report', status: 'failed' })).toEqual(['2']);
		expect(shown({ name: 'trips' })).toEqual(['3']);
		expect(shown({ name: '2026/harb' })).toEqual(['3']);
	});

	it('sorts names as people count, sizes from the largest, and what failed first', () => {
		expect(shown({ sort: 'name' })).toEqual(['3', '2', '1']);
		expect(shown({ sort: 'size' })).toEqual(['2', '3', '1']);
		expect(shown({ sort: 'status' })).toEqual(['2', '3', '1']);
	});

	it('stands in the address, and what nobody understands there is left out', () => {
		const view = readView(new URLSearchParams('status=failed&type=nonsense&name=%20a%20&sort=size&x=1'));
		expect(view).toEqual({ status: 'failed', type: undefined, name: 'a', sort: 'size' });
		expect(readView(viewParams(view))).toEqual(view);
		expect(String(viewParams(readView(new URLSearchParams())))).toBe('');
	});
});

describe('a selection', () => {
	it('grows by a range from the last one that was chosen alone, in the order of the list', () => {
		const selection = new Selection(() => ['a', 'b', 'c', 'd']);
		selection.toggle('b');
		selection.toggle('d', { toHere: true });
		expect(selection.chosen).toEqual(['b', 'c', 'd']);
		selection.toggle('b', { toHere: true });
		expect(selection.chosen).toEqual([]);
	});

	it('knows nothing of what is not in the list any more', () => {
		let listed = ['a', 'b'];
		const selection = new Selection(() => listed);
		selection.all();
		listed = ['b', 'c'];
		expect(new Selection(() => listed).chosen).toEqual([]);
		selection.toggle('c');
		expect(selection.chosen).toEqual(['b', 'c']);
		selection.clear();
		expect(selection.isOn).toBe(false);
	});
});
