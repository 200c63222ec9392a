import { makePdf, makeText, pageText, truncated } from '../support/make-files.ts';
import { choose, expect, expectAccessible, expectSearchable, rowOf, signIn, test } from './fixtures.ts';

const textFile = (name: string, words: string) => ({
	name,
	mimeType: 'text/plain',
	buffer: makeText(words)
});
const ebb = textFile('ebb.txt', 'Ebb tide at nine.');
const flood = textFile('flood.txt', 'Flood tide at three, and a much longer note about it.');
const book = { name: 'book.pdf', mimeType: 'application/pdf', buffer: makePdf([pageText(1), pageText(2)]) };
const broken = { ...book, name: 'broken.pdf', buffer: truncated(book.buffer, 0.4) };

const names = (page: import('@playwright/test').Page) =>
	page.getByRole('list', { name: 'Files' }).locator('[data-focus]').allTextContents();

test('filter and order stand in the address, and hold over a reload and a way back', async ({
	signedIn: page
}) => {
	await choose(page, ebb, flood, book, broken);
	await expectSearchable(page, 'ebb.txt', 'flood.txt', 'book.pdf');
	await expect(rowOf(page, 'broken.pdf')).toContainText('Failed');

	await page.getByLabel('Order').selectOption('Name');
	await expect.poll(() => names(page)).toEqual(['book.pdf', 'broken.pdf', 'ebb.txt', 'flood.txt']);
	await page.getByLabel('Order').selectOption('Largest');
	expect((await names(page))[0]).toBe('book.pdf');
	await page.getByLabel('Type').selectOption('Text');
	await expect.poll(() => names(page)).toEqual(['flood.txt', 'ebb.txt']);
	await page.getByLabel('Filter by name').fill('EB');
	await expect.poll(() => names(page)).toEqual(['ebb.txt']);
	await expect(page).toHaveURL(/type=text.*name=EB.*sort=size/);
	await expect(page.getByText('1 of 4 files')).toBeVisible();
	await expectAccessible(page);

	await page.reload();
	await expect.poll(() => names(page)).toEqual(['ebb.txt']);
	await page.getByRole('link', { name: 'ebb.txt', exact: true }).click();
	await expect(page).toHaveURL(/\/files\//);
	await page.goBack();
	await expect.poll(() => names(page)).toEqual(['ebb.txt']);
	await expect(page.getByLabel('Filter by name')).toHaveValue('EB');
	await page.getByLabel('Filter by name').fill('nothing like it');
	await expect(page.getByText('No file is like that.')).toBeVisible();
	await page.getByRole('main').getByRole('link', { name: 'Show all' }).last().click();
	await expect.poll(() => names(page)).toHaveLength(4);
	await page.getByLabel('Status').selectOption('Failed');
	await expect.poll(() => names(page)).toEqual(['broken.pdf']);
});

test('several files are chosen by mouse and keyboard, downloaded, and deleted with one way back', async ({
	signedIn: page
}) => {
	await choose(page, ebb, flood, book);
	await expectSearchable(page, 'ebb.txt', 'flood.txt', 'book.pdf');
	await page.getByLabel('Order').selectOption('Name');
	await rowOf(page, 'book.pdf').hover();
	await page.getByRole('checkbox', { name: 'Select book.pdf' }).click();
	await page.getByRole('checkbox', { name: 'Select flood.txt' }).click({ modifiers: ['Shift'] });
	await expect(page.getByText('3 selected')).toBeVisible();
	await expectAccessible(page);
	await page.keyboard.press('Escape');
	await expect(page.getByText('3 selected')).toHaveCount(0);

	await page.getByRole('checkbox', { name: 'Select ebb.txt' }).focus();
	await page.keyboard.press('Space');
	await expect(page.getByText('1 selected')).toBeVisible();
	await page.keyboard.press('ControlOrMeta+a');
	await expect(page.getByText('3 selected')).toBeVisible();

	const download = page.waitForEvent('download');
	await page.getByRole('button', { name: 'Download zip' }).click();
	expect((await download).suggestedFilename()).toBe('asura-files.zip');

	const bar = page.getByRole('toolbar', { name: 'Selected files' });
	await bar.getByRole('button', { name: 'Delete' }).click();
	await expect(page.getByRole('heading', { name: /Drop files here/ })).toBeVisible();
	await expect(page.getByText('Deleted 3 files')).toBeVisible();
	await page.getByRole('button', { name: 'Undo' }).click();
	await expect.poll(() => names(page)).toHaveLength(3);

	await page.getByRole('checkbox', { name: 'Select ebb.txt' }).check();
	await page.getByRole('checkbox', { name: 'Select book.pdf' }).check();
	await bar.getByRole('button', { name: 'Delete' }).click();
	await page.goto('/settings');
	await page.goto('/');
	await expect.poll(() => names(page)).toEqual(['flood.txt']);
});

test('the focus stays in the list when what had it goes away', async ({ signedIn: page }) => {
	await choose(page, flood, broken, ebb);
	await expectSearchable(page, 'flood.txt', 'ebb.txt');
	await expect(rowOf(page, 'broken.pdf')).toContainText('Failed');
	const remedy = rowOf(page, 'broken.pdf').getByRole('button', { name: 'Delete', exact: true });
	await remedy.focus();
	await page.keyboard.press('Enter');
	await expect(rowOf(page, 'broken.pdf')).toHaveCount(0);
	await expect(page.getByRole('link', { name: 'ebb.txt', exact: true })).toBeFocused();
});

test.describe('on a phone', () => {
	test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

	test('choosing is asked for with a button', async ({ signedIn: page }) => {
		await choose(page, ebb);
		await expectSearchable(page, 'ebb.txt');
		await page.getByRole('button', { name: 'Select', exact: true }).tap();
		await page.getByRole('checkbox', { name: 'Select ebb.txt' }).tap();
		await expect(page.getByText('1 selected')).toBeVisible();
		await expectAccessible(page);
		expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
	});
});

test('a name without room loses its middle, not its ending, and keeps its whole name', async ({
	signedIn: page
}) => {
	const name = `minutes of the ${'extraordinary '.repeat(8)}meeting.txt`;
	await choose(page, textFile(name, 'The trust met at noon.'));
	await expectSearchable(page, name);
	const link = page.getByRole('link', { name, exact: true });
	for (const width of [1280, 390]) {
		await page.setViewportSize({ width, height: 844 });
		const [stem, end] = await link.locator('[aria-hidden]').all();
		const [cut, whole] = await Promise.all([stem, end].map((half) => half?.evaluate(overflowOf)));
		expect(cut).toBeGreaterThan(0);
		expect(whole).toBe(0);
		await expect(link.getByText('ting.txt', { exact: true })).toBeInViewport({ ratio: 1 });
	}
	await expectAccessible(page);
});

const overflowOf = (half: Element) => Math.max(0, half.scrollWidth - half.clientWidth);

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });

	test('the list is filtered, sorted and turned page by page with plain forms', async ({
		page,
		context,
		server,
		email
	}) => {
		await signIn(context, server, email);
		await page.goto('/');
		const many = Array.from({ length: 32 }, (_, i) => textFile(`note ${i + 1}.txt`, `note ${i}`));
		await page.locator('input[type=file]').setInputFiles([...many, book]);
		await page.getByRole('button', { name: 'Upload' }).click();
		await expect.poll(() => names(page)).toHaveLength(30);
		await page.getByRole('link', { name: 'Next page' }).click();
		await expect.poll(() => names(page)).toHaveLength(3);

		await page.getByLabel('Type').selectOption('PDF');
		await page.getByRole('button', { name: 'Show', exact: true }).click();
		expect(await names(page)).toEqual(['book.pdf']);
		await page.getByLabel('Type').selectOption('');
		await page.getByLabel('Filter by name').fill('NOTE 3');
		await page.getByLabel('Order').selectOption('Name');
		await page.getByRole('button', { name: 'Show', exact: true }).click();
		expect(await names(page)).toEqual(['note 3.txt', 'note 30.txt', 'note 31.txt', 'note 32.txt']);
	});
});
