import { makeImage, makePdf, makeText, pageText } from '../support/make-files.ts';
import { choose, expect, expectAccessible, expectSearchable, rowOf, test } from './fixtures.ts';

const pages = Array.from({ length: 6 }, (_, i) => pageText(i + 1));
const book = { name: 'book.pdf', mimeType: 'application/pdf', buffer: makePdf(pages) };
const locked = { ...book, name: 'locked.pdf', buffer: makePdf([pageText(1)], { password: 'sesame' }) };
const notes = { name: 'notes.txt', mimeType: 'text/plain', buffer: makeText('Lanterns were cleaned.') };

test('a PDF is shown page by page, with its text and its passages', async ({ signedIn: page }) => {
	const fetched: string[] = [];
	page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
	await choose(page, book);
	await expectSearchable(page, 'book.pdf');
	expect(
		fetched.filter((path) => /pdf.*\.m?js$/.test(path)),
		'the viewer comes on demand'
	).toEqual([]);
	await page.getByRole('link', { name: 'book.pdf', exact: true }).click();

	const preview = page.getByRole('region', { name: 'Preview' });
	await expect(preview).toHaveAttribute('data-page', '1');
	expect(await inkOf(preview.locator('canvas'))).toBeGreaterThan(0.005);
	await preview.getByRole('button', { name: 'Next page' }).click();
	await expect(preview).toHaveAttribute('data-page', '2');
	await preview.getByRole('group').focus();
	await page.keyboard.press('ArrowRight');
	await expect(preview).toHaveAttribute('data-page', '3');
	await preview.getByRole('spinbutton', { name: 'Page' }).fill('6');
	await page.keyboard.press('Enter');
	await expect(preview).toHaveAttribute('data-page', '6');
	await expectAccessible(page);

	const text = page.getByRole('region', { name: 'Extracted text' });
	await text.getByRole('button', { name: 'Show page 1', exact: true }).click();
	await expect(preview).toHaveAttribute('data-page', '1');
	await text.getByRole('button', { name: 'Passages' }).click();
	await expect(text.getByText('Passage 1', { exact: true })).toBeVisible();
	await expect(text).toContainText('only6');
	await text.getByRole('button', { name: 'page 6' }).first().click();
	await expect(preview).toHaveAttribute('data-page', '6');
	await expectAccessible(page);
	await expect(page.getByRole('definition').filter({ hasText: / s$/ }).first()).toBeVisible();
	for (const link of ['Download', 'Download compressed', 'Download text'])
		await expect(page.getByRole('link', { name: link, exact: true })).toBeVisible();
});

test('a hit opens the page at its passage, and the preview at its page', async ({ signedIn: page }) => {
	await choose(page, book);
	await expectSearchable(page, 'book.pdf');
	await page.goto('/search?q=only4');
	await page.getByRole('list', { name: 'Passages' }).getByRole('link').first().click();
	await expect(page).toHaveURL(/page=4/);
	await expect(page.getByRole('region', { name: 'Preview' })).toHaveAttribute('data-page', '4');
	const found = page.getByRole('region', { name: 'Found passage' });
	await expect(found.locator('mark').first()).toHaveText('only4');
	await expect(found).toBeInViewport();
	await expect(page.getByRole('group', { name: 'Pages of book.pdf' })).toBeInViewport();
	const passage = page.getByRole('region', { name: 'Extracted text' }).locator('.wanted');
	await expect(passage.locator('mark').first()).toHaveText('only4');
});

test('a picture is shown, a text is read, and neither fetches the PDF viewer', async ({ signedIn: page }) => {
	const picture = {
		name: 'gradient.png',
		mimeType: 'image/png',
		buffer: await makeImage({ width: 900, height: 600 })
	};
	await choose(page, picture, notes);
	await expectSearchable(page, 'gradient.png', 'notes.txt');
	await page.getByRole('link', { name: 'gradient.png', exact: true }).click();
	const shown = page.getByRole('img', { name: 'Preview of gradient.png' });
	await expect.poll(() => shown.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(800);
	await expectAccessible(page);
	await page.goto('/');
	await page.getByRole('link', { name: 'notes.txt', exact: true }).click();
	await expect(page.getByText('Lanterns were cleaned.')).toBeVisible();
	await expect(page.getByRole('region', { name: 'Preview' })).toHaveCount(0);
});

test('a protected PDF says what happened, what was kept and what helps', async ({ signedIn: page }) => {
	await choose(page, locked);
	await page.getByRole('link', { name: 'locked.pdf', exact: true }).click();
	const main = page.getByRole('main');
	await expect(main.getByText('The PDF is protected by a password.')).toBeVisible();
	await expect(main.getByText('The original is kept.')).toBeVisible();
	await expect(page.getByRole('button', { name: 'Unlock' })).toBeVisible();
	await expectAccessible(page);
});

test('what a scan does not have is not asked for', async ({ signedIn: page }) => {
	const scan = { ...book, name: 'scan.pdf', buffer: makePdf(['', '']) };
	const missing: string[] = [];
	page.on('response', (response) => {
		if (response.status() === 404) missing.push(response.url());
	});
	await choose(page, scan);
	await expect(rowOf(page, 'scan.pdf')).toContainText('it is probably a scan', { timeout: 30_000 });
	await page.getByRole('link', { name: 'scan.pdf', exact: true }).click();
	await expect(page.getByText('Nothing was read from this file.')).toBeVisible();
	await expect(page.getByRole('region', { name: 'Preview' })).toHaveAttribute('data-page', '1');
	expect(missing).toEqual([]);
});

/** The share of a picture that is not paper. */
function inkOf(canvas: import('@playwright/test').Locator): Promise<number> {
	return canvas.evaluate((element: HTMLCanvasElement) => {
		const drawn = element.getContext('2d')?.getImageData(0, 0, element.width, element.height).data ?? [];
		let dark = 0;
		for (let i = 0; i < drawn.length; i += 4) if ((drawn[i] ?? 255) < 128) dark += 1;
		return dark / (drawn.length / 4);
	});
}
