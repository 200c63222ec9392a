// The page by keyboard alone, on a phone, and without JavaScript.
import type { Page } from '@playwright/test';
import { makePdf, makeText, pageText } from '../support/make-files.ts';
import { choose, expect, expectAccessible, expectSearchable, rowOf, signIn, test } from './fixtures.ts';

const notes = {
	name: 'notes.txt',
	mimeType: 'text/plain',
	buffer: makeText('Telescopes were cleaned in November.')
};

test('everything can be done by keyboard alone', async ({ signedIn: page }) => {
	const chooser = page.waitForEvent('filechooser');
	await tabTo(page, (element) => element.matches('input[type=file]'));
	await page.keyboard.press('Space');
	await (
		await chooser
	).setFiles({ name: 'book.pdf', mimeType: 'application/pdf', buffer: makePdf([pageText(1), pageText(2)]) });
	await expectSearchable(page, 'book.pdf');

	await page.keyboard.press('Control+k');
	await page.keyboard.type('only2');
	await expect(page.getByRole('option').first()).toContainText('page 2');
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('Enter');
	await expect(page).toHaveURL(/\/files\/.*page=2/);

	await tabTo(page, (element) => element.textContent?.trim() === 'Delete');
	await page.keyboard.press('Enter');
	await expect(page).toHaveURL(/\/$/);
	await tabTo(page, (element) => element.textContent?.trim() === 'Undo');
	await page.keyboard.press('Enter');
	await expect(rowOf(page, 'book.pdf')).toHaveCount(1);

	await tabTo(page, (element) => element.getAttribute('aria-label') === 'Delete book.pdf');
	await expect(page.getByRole('button', { name: 'Delete book.pdf' })).toBeInViewport();
	await page.keyboard.press('Enter');
	await expect(rowOf(page, 'book.pdf')).toHaveCount(0);
});

test.describe('on a phone', () => {
	test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

	test('the actions are in a menu and nothing is wider than the screen', async ({ signedIn: page }) => {
		await choose(page, notes);
		await expectSearchable(page, 'notes.txt');
		const isTooWide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
		expect(await isTooWide()).toBe(false);
		await expectAccessible(page);

		await page.getByRole('button', { name: 'Actions for notes.txt' }).tap();
		await expect(page.getByRole('menuitem', { name: 'Download' })).toBeVisible();
		await expectAccessible(page);
		await page.keyboard.press('Escape');
		await expect(page.getByRole('button', { name: 'Actions for notes.txt' })).toBeFocused();

		await page.getByRole('link', { name: 'notes.txt', exact: true }).tap();
		await expect(page.getByText('Telescopes were cleaned')).toBeVisible();
		expect(await isTooWide()).toBe(false);
		await page.getByRole('link', { name: '← All files' }).tap();
		await page.getByRole('button', { name: 'Actions for notes.txt' }).tap();
		await page.getByRole('menuitem', { name: 'Delete' }).tap();
		await expect(rowOf(page, 'notes.txt')).toHaveCount(0);
	});
});

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });

	test('one can sign in, upload, see the list, search and delete', async ({
		page,
		context,
		server,
		email
	}) => {
		await page.goto('/');
		await expect(page.getByRole('button', { name: 'Continue on this machine' })).toBeVisible();
		// A person of this test's own; the button would sign in the owner.
		await signIn(context, server, email);
		await page.goto('/');
		await page.locator('input[type=file]').setInputFiles(notes);
		await page.getByRole('button', { name: 'Upload' }).click();
		await expect(async () => {
			await page.reload();
			await expect(rowOf(page, 'notes.txt')).toContainText('Searchable', { timeout: 100 });
		}).toPass({ timeout: 30_000 });

		await page.getByRole('combobox', { name: 'Search in your files' }).fill('telescopes');
		await page.keyboard.press('Enter');
		await expect(page.getByRole('main').getByRole('link', { name: /notes\.txt/ })).toBeVisible();
		await page.goto('/');
		await page.getByRole('button', { name: 'Delete notes.txt' }).click();
		await expect(page.getByRole('heading', { name: /Drop files here/ })).toBeVisible();
	});
});

/** Presses Tab until the focus stands on what is looked for. */
async function tabTo(page: Page, isIt: (element: Element) => boolean): Promise<void> {
	const source = `(${isIt.toString()})(document.activeElement)`;
	for (let i = 0; i < 60; i++) {
		await page.keyboard.press('Tab');
		if (await page.evaluate(source)) return;
	}
	throw new Error(`Tab never reached ${isIt.toString()}`);
}
