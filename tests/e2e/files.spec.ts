import { makeImage, makePdf, makeText, pageText } from '../support/make-files.ts';
import { choose, expect, expectAccessible, expectSearchable, rowOf, signIn, test } from './fixtures.ts';

// Page 5 is empty, like a scan: the pages after it keep their numbers.
const pages = Array.from({ length: 6 }, (_, i) => (i === 4 ? '' : pageText(i + 1)));
const book = { name: 'book.pdf', mimeType: 'application/pdf', buffer: makePdf(pages) };
const notes = {
	name: 'notes.txt',
	mimeType: 'text/plain',
	buffer: makeText('The quarterly observatory report.\n\nTelescopes were cleaned in November.')
};

test('three kinds of files go from the first byte to searchable, and are found by what they say', async ({
	signedIn: page
}) => {
	const picture = {
		name: 'gradient.png',
		mimeType: 'image/png',
		buffer: await makeImage({ width: 1200, height: 900 })
	};
	await expect(page.getByRole('heading', { name: /Drop files here/ })).toBeVisible();
	await watchBars(page);
	await choose(page, book, picture, notes);
	await expect(page.getByRole('progressbar')).toHaveCount(3);
	await page.evaluate(() => {
		new PerformanceObserver((list) => {
			for (const entry of list.getEntries()) {
				if ('value' in entry) window.shifted = (window.shifted ?? 0) + Number(entry.value);
			}
		}).observe({ type: 'layout-shift' });
	});
	await expectSearchable(page, 'book.pdf', 'gradient.png', 'notes.txt');

	// A number that grows a digit counts a little; a row that moves by its height counts a hundred times this.
	expect(await page.evaluate(() => window.shifted ?? 0), 'nothing jumps while bars move').toBeLessThan(0.001);
	const seen = await page.evaluate(() => window.seenBars ?? {});
	for (const values of Object.values(seen)) {
		expect(values, 'a bar never goes back').toEqual([...values].sort((a, b) => a - b));
		expect(values.at(-1)).toBe(100);
	}
	expect(Object.keys(seen)).toHaveLength(3);
	await expect(rowOf(page, 'book.pdf')).toContainText('6 pages');

	await page.getByRole('combobox', { name: 'Search in your files' }).fill('only6');
	const hit = page.getByRole('option').first();
	await expect(hit).toContainText('book.pdf');
	await expect(hit).toContainText('page 6');
	await expect(hit.locator('mark').first()).toHaveText('only6');
	await expectAccessible(page);
	await hit.click();
	await expect(page).toHaveURL(/\/files\/.*page=6/);
	await expect(page.getByRole('region', { name: 'Found passage' }).locator('mark').first()).toHaveText(
		'only6'
	);
	await expect(page.getByRole('region', { name: 'Preview' })).toHaveAttribute('data-page', '6');
	await expect(
		page.getByRole('region', { name: 'Extracted text' }).getByText('only6', { exact: true })
	).toBeVisible();
	await expectAccessible(page);
});

test('a list is the same after a reload and in a second tab, and a delete reaches both', async ({
	signedIn: page,
	context
}) => {
	await choose(page, notes);
	await expectSearchable(page, 'notes.txt');
	await page.reload();
	await expectSearchable(page, 'notes.txt');

	const second = await context.newPage();
	await second.goto('/');
	await expectSearchable(second, 'notes.txt');
	await choose(second, book);
	await expectSearchable(page, 'book.pdf');
	await expectAccessible(page);

	await rowOf(page, 'notes.txt').hover();
	await page.getByRole('button', { name: 'Delete notes.txt' }).click();
	await expect(rowOf(page, 'notes.txt')).toHaveCount(0);
	await expect(rowOf(second, 'notes.txt')).toHaveCount(0, { timeout: 15_000 });
	await expect(rowOf(second, 'book.pdf')).toHaveCount(1);
});

test('a delete can be undone, and a file whose page is left right after is deleted all the same', async ({
	signedIn: page
}) => {
	await choose(page, notes, book);
	await expectSearchable(page, 'notes.txt', 'book.pdf');
	await rowOf(page, 'notes.txt').hover();
	await page.getByRole('button', { name: 'Delete notes.txt' }).click();
	await page.getByRole('button', { name: 'Undo' }).click();
	await expect(rowOf(page, 'notes.txt')).toHaveCount(1);

	await rowOf(page, 'book.pdf').hover();
	await page.getByRole('button', { name: 'Delete book.pdf' }).click();
	await page.goto('/search');
	await page.goto('/');
	await expect(rowOf(page, 'notes.txt')).toHaveCount(1);
	await expect(rowOf(page, 'book.pdf')).toHaveCount(0);
});

test('what one person keeps, another never sees', async ({ signedIn: page, browser, server }) => {
	await choose(page, notes);
	await expectSearchable(page, 'notes.txt');
	const [url] = await page
		.getByRole('link', { name: 'notes.txt', exact: true })
		.evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href));

	const other = await browser.newContext({ baseURL: server.url });
	await signIn(other, server, 'stranger@localhost');
	const theirs = await other.newPage();
	await theirs.goto('/');
	await expect(theirs.getByRole('heading', { name: /Drop files here/ })).toBeVisible();
	await theirs.goto('/search?q=observatory');
	await expect(theirs.getByRole('heading', { name: /Nothing found/ })).toBeVisible();
	const answer = await theirs.goto(url ?? '/');
	expect(answer?.status()).toBe(404);
	await expect(theirs.getByRole('heading', { name: 'There is no such file.' })).toBeVisible();
	await other.close();
});

test('the sample files become searchable, offer a word, and the word finds it', async ({
	signedIn: page
}) => {
	await page.getByRole('button', { name: 'Try it with three sample files' }).click();
	await expectSearchable(page, 'lighthouse-handbook.pdf', 'harbour-at-dusk.jpg', 'winter-birds.md');
	const offer = page.getByText('Try searching for').getByRole('link');
	await expect(offer).toBeVisible({ timeout: 30_000 });
	await offer.click();
	await expect(page.getByRole('heading', { name: /passage/ })).toBeVisible();
	await expect(page.getByRole('main').locator('mark').first()).toBeVisible();
	await expectAccessible(page);
});

test('the same file twice is two rows, and the second one says so', async ({ signedIn: page }) => {
	await choose(page, notes);
	await expectSearchable(page, 'notes.txt');
	await choose(page, { ...notes, name: 'copy.txt' });
	await page.getByRole('button', { name: 'Keep both copy.txt' }).click();
	await expectSearchable(page, 'copy.txt');
	await page.getByRole('link', { name: 'copy.txt', exact: true }).click();
	await page.getByRole('link', { name: 'an earlier file' }).click();
	await expect(page.getByRole('heading', { level: 1 })).toHaveText('notes.txt');
});

declare global {
	interface Window {
		seenBars?: Record<string, number[]>;
		shifted?: number;
	}
}

/** Notes every value that a bar shows from now on. */
async function watchBars(page: import('@playwright/test').Page): Promise<void> {
	await page.evaluate(() => {
		const seen: Record<string, number[]> = (window.seenBars = {});
		const look = () => {
			for (const bar of document.querySelectorAll('[role=progressbar]')) {
				const values = (seen[bar.getAttribute('aria-label') ?? ''] ??= []);
				const value = Number(bar.getAttribute('aria-valuenow'));
				if (values.at(-1) !== value) values.push(value);
			}
		};
		new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
	});
}
