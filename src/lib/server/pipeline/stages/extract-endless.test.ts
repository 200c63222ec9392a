// Files that have no end in some direction: they are read in seconds, and what is not read is said.
import { utils, write } from '@e965/xlsx';
import { describe, expect, test } from 'vitest';
import { makeSheets } from '../../../../../tests/support/make-office.ts';
import { makeText } from '../../../../../tests/support/make-files.ts';
import { textOf, useStages } from '../../../../../tests/support/stage-input.ts';

const { read } = useStages(1);
const types = { xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' };

describe('nesting without end', () => {
	test('Markdown nested deeper than calls can be is read as text and says so', async () => {
		const pages = await read(makeText(`${'>'.repeat(20_000)} deep words`), 'text/markdown');
		expect(pages[0]?.warning?.code).toBe('file.damaged');
		expect(textOf(pages)).toContain('deep words');
	});

	test('JSON nested deeper than calls can be is read', async () => {
		const depth = 50_000;
		expect(
			textOf(await read(makeText(`${'['.repeat(depth)}"deep"${']'.repeat(depth)}`), 'application/json'))
		).toContain('deep');
	});

	test('JSON with a value at every level repeats no path without end', async () => {
		const depth = 5_000;
		const file = makeText(`${'{"leaf":"word","a":'.repeat(depth)}"last"${'}'.repeat(depth)}`);
		const text = textOf(await read(file, 'application/json'));
		expect(text.match(/leaf: word/g)).toHaveLength(depth);
		expect(text).toContain('a.a: last');
		expect(text.length).toBeLessThan(depth * 350);
	});

	const deep = (tag: string) => makeText(`${`<${tag}>`.repeat(1_000_000)}deep<b>words</b>`);

	test.each([
		['div', 'text/html'],
		['a', 'application/xml']
	])('<%s> of %s: read in seconds, to the last word', async (tag, type) => {
		const before = performance.now();
		expect(textOf(await read(deep(tag), type))).toMatch(/deep\s*words/);
		expect(performance.now() - before).toBeLessThan(20_000);
	});

	test('headings around them are kept', async () => {
		const page = makeText(
			`<h1>Top</h1>${'<div>x'.repeat(2_500)}</div><h2>Sub <i>title</i></h2><p>last</p>${'</div>'.repeat(2_500)}`
		);
		const pages = await read(page, 'text/html');
		expect(pages.at(-1)).toMatchObject({ section: 'Top › Sub title', text: 'Sub title\n\nlast' });
		expect(textOf(pages).match(/x/g)).toHaveLength(2_500);
	});
});

describe('a row without end', () => {
	test.each([
		['many cells', 'a,'.repeat(2_000_000)],
		['nothing but commas', ','.repeat(30_000_000)],
		['nothing but empty quotes', '"",'.repeat(2_000_000)],
		['quotes inside every cell', '"a""b",'.repeat(500_000)],
		['one quote that is never closed', `"${'never closed '.repeat(500_000)}`]
	])('CSV with an endless row (%s) is read as text from there, and says so', async (_what, row) => {
		const before = performance.now();
		const pages = await read(makeText(`name,place\nAda,London\n${row}\nBob,Paris`), 'text/csv');
		expect(performance.now() - before).toBeLessThan(20_000);
		expect(textOf(pages)).toContain('name: Ada; place: London');
		expect(textOf(pages)).toContain('Bob,Paris');
		expect(textOf(pages).length).toBeGreaterThan(row.length);
		expect(pages.filter((page) => page.warning).map((page) => page.warning?.message)).toEqual([
			'The table could be read up to row 1 only; what follows was read as text.'
		]);
	});

	test('the names of columns, which every row repeats, are short ones', async () => {
		const pages = await read(makeText(`${'name '.repeat(1000)},place\n${'a,b\n'.repeat(500)}`), 'text/csv');
		expect(textOf(pages)).toContain('place: b');
		expect(textOf(pages).length).toBeLessThan(500 * 150);
	});
});

test('a file whose text is hundreds of times its size is refused, before it fills anything', async () => {
	const cell = 'the same words in every cell '.repeat(1_100);
	const file = makeSheets({ Bomb: Array.from({ length: 600 }, () => [cell]) });
	await expect(read(file, types.xlsx)).rejects.toMatchObject({ code: 'archive.bomb' });
});

describe('a sheet that is larger than what is read', () => {
	const warnings = async (file: Buffer) =>
		(await read(file, types.xlsx)).flatMap(({ warning }) => warning?.code ?? []);

	test('says so when it is too wide, and keeps what is inside', async () => {
		const row = Array.from({ length: 501 }, (_, i) => `column${i + 1}`);
		const file = makeSheets({ Wide: [row, row.map((name) => `in ${name}`)] });
		const text = textOf(await read(file, types.xlsx));
		expect(text).toContain('in column500');
		expect(text).not.toContain('in column501');
		expect(await warnings(file)).toEqual(['table.too_large']);
		expect(await warnings(makeSheets({ Wide: [row.slice(0, 500)] }))).toEqual([]);
	});

	test('says so when it is too long', async () => {
		const sheet = utils.sheet_add_aoa(utils.aoa_to_sheet([['near']]), [['far']], { origin: 'A300000' });
		const book = utils.book_new(sheet, 'Long');
		expect(await warnings(write(book, { type: 'buffer', bookType: 'xlsx' }))).toEqual(['table.too_large']);
	});
});
