import { makePdf, makeText } from '../support/make-files.ts';
import { choose, expect, expectAccessible, expectSearchable, signIn, test } from './fixtures.ts';

const note = { name: 'note.txt', mimeType: 'text/plain', buffer: makeText('A lantern on the pier.') };
const book = {
	name: 'book.pdf',
	mimeType: 'application/pdf',
	buffer: makePdf(['A lantern on the hill.', 'Copper for the lantern.'])
};

test('a search is narrowed by type and date, walked through by keys, and says how it searched', async ({
	signedIn: page
}) => {
	await choose(page, note, book);
	await expectSearchable(page, 'note.txt', 'book.pdf');
	await page.getByRole('combobox', { name: 'Search in your files' }).fill('lantern');
	await page.keyboard.press('Enter');
	const passages = page.getByRole('list', { name: 'Passages' }).getByRole('link');
	await expect(passages).toHaveCount(3);
	const main = page.getByRole('main');
	await expect(main.getByText('Searched by words and their parts; no model is connected.')).toBeVisible();
	await expectAccessible(page);

	await page.getByLabel('Type').selectOption('PDF');
	await expect(page).toHaveURL(/type=pdf/);
	await expect(passages).toHaveCount(2);
	await page.getByLabel('Added from').fill('2999-01-01');
	await page.getByLabel('Added from').blur();
	await expect(page.getByRole('heading', { name: 'Nothing found for “lantern”' })).toBeVisible();
	await expect(page.getByText('Nothing in the files that are looked through here.')).toBeVisible();
	await expectAccessible(page);
	await main.getByRole('link', { name: 'All files', exact: true }).click();
	await expect(passages).toHaveCount(3);

	await passages.first().focus();
	await page.keyboard.press('ArrowDown');
	await expect(passages.nth(1)).toBeFocused();
	await page.keyboard.press('Escape');
	await expect(page.getByRole('combobox', { name: 'Search in your files' })).toBeFocused();
});

test('one file can be searched from its page', async ({ signedIn: page }) => {
	await choose(page, note, book);
	await expectSearchable(page, 'note.txt', 'book.pdf');
	await page.getByRole('link', { name: 'book.pdf', exact: true }).click();
	await page.getByRole('searchbox', { name: 'Search in this file' }).fill('copper');
	await page.keyboard.press('Enter');
	await expect(page).toHaveURL(/\/search\?q=copper&file=/);
	await expect(page.getByRole('list', { name: 'Passages' }).getByRole('link')).toHaveCount(1);
	await expect(page.getByText('in book.pdf')).toBeVisible();
});

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });

	test('the filters are a plain form', async ({ page, context, server, email }) => {
		await signIn(context, server, email);
		await page.goto('/');
		await page.locator('input[type=file]').setInputFiles([note, book]);
		await page.getByRole('button', { name: 'Upload' }).click();
		const passages = page.getByRole('list', { name: 'Passages' }).getByRole('link');
		await expect(async () => {
			await page.goto('/search?q=lantern');
			await expect(passages).toHaveCount(3, { timeout: 100 });
		}).toPass({ timeout: 30_000 });
		await page.getByLabel('Type').selectOption('Text');
		await page.getByRole('button', { name: 'Show' }).click();
		await expect(passages).toHaveCount(1);
		await expect(passages).toContainText('note.txt');
	});
});
