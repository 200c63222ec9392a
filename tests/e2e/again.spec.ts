// What waits, what has failed and what is done can be processed when its person says so.
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { makeText } from '../support/make-files.ts';
import { choose, expect, expectAccessible, expectSearchable, rowOf, signIn } from './fixtures.ts';
import { test } from './provider-fixtures.ts';

const note = (name: string) => ({
	name: `${name}.txt`,
	mimeType: 'text/plain',
	buffer: makeText(`The ${name} was entered in the log of the harbour.`)
});
const spoken = (page: Page) => page.locator('p[aria-live=polite]');

test('a file that waits is processed next when that is asked for', async ({ signedIn: page, provider }) => {
	provider.failWhen(({ inputs }) => (/anchor/.test(inputs.join()) ? { kind: 'hang' } : undefined));
	await choose(page, note('anchor'));
	await expect(rowOf(page, 'anchor.txt')).toContainText('Embedding');
	await choose(page, note('beacon'));
	await expect(rowOf(page, 'beacon.txt')).toContainText('Next in line');
	await choose(page, note('compass'));
	await expect(rowOf(page, 'compass.txt')).toContainText('2nd in line');
	await expectAccessible(page);

	await rowOf(page, 'compass.txt').hover();
	await page.getByRole('button', { name: 'Process next compass.txt' }).press('Enter');
	await expect(rowOf(page, 'compass.txt')).toContainText('Next in line');
	await expect(rowOf(page, 'beacon.txt')).toContainText('2nd in line');
	await expect(spoken(page)).toHaveText('compass.txt is processed next.');

	await page.getByRole('link', { name: 'beacon.txt', exact: true }).click();
	await page.getByRole('button', { name: 'Process next', exact: true }).click();
	await expect(page.getByRole('region', { name: 'Progress' })).toContainText('Next in line');
	await expectAccessible(page);
	await page.getByRole('link', { name: '← All files' }).click();

	await rowOf(page, 'anchor.txt').hover();
	await page.getByRole('button', { name: 'Cancel anchor.txt' }).click();
	await expectSearchable(page, 'beacon.txt', 'compass.txt');
	const order = provider.paid.join().replace(/.*?(beacon|compass)/gs, '$1 ');
	expect(order.indexOf('beacon')).toBeLessThan(order.indexOf('compass'));
});

test('a completed file is processed again from its page, and from the menu of a phone', async ({
	signedIn: page
}) => {
	await choose(page, note('dory'));
	await expectSearchable(page, 'dory.txt');
	await page.getByRole('link', { name: 'dory.txt', exact: true }).click();
	const main = page.getByRole('main');
	await expect(main).toContainText(/Read after \S/);
	await expectAccessible(page);
	const again = page.getByRole('button', { name: 'Process again' });
	const answered = page.waitForResponse(/\/retry$/);
	await again.press('Enter');
	expect((await answered).status()).toBe(202);
	await expect(page.getByRole('region', { name: 'Progress' })).toContainText('Searchable');
	await expect(again).toBeVisible();
	await expect(main).toContainText('text-embedding-3-small');

	await page.setViewportSize({ width: 390, height: 844 });
	await page.goto('/');
	await page.route('**/api/files/*/retry', (route) => route.abort());
	const menu = page.getByRole('button', { name: 'Actions for dory.txt' });
	await menu.press('Enter');
	await expectAccessible(page);
	await page.getByRole('menuitem', { name: 'Process again' }).press('Enter');
	await expect(
		page.getByRole('status').filter({ hasText: 'dory.txt could not be processed again.' })
	).toHaveText(/The server cannot be reached\./);
	await page.unroute('**/api/files/*/retry');
	await menu.press('Enter');
	await page.getByRole('menuitem', { name: 'Process again' }).press('Enter');
	// Its vectors are known, so it may be done before anybody has read the first of the two sentences.
	await expect(spoken(page)).toHaveText(/^dory\.txt is (processed again|searchable)\.$/);
	await expectSearchable(page, 'dory.txt');
});

test('all that failed is retried at once, and one failure has only its own button', async ({
	signedIn: page,
	provider
}) => {
	provider.failWhen(() => ({ kind: 'status', status: 401 }));
	const all = page.getByRole('button', { name: 'Retry all failed' });
	await choose(page, note('ebb'));
	await expect(rowOf(page, 'ebb.txt')).toContainText('Failed');
	await expect(all).toHaveCount(0);
	await choose(page, note('ferry'));
	await expect(rowOf(page, 'ferry.txt')).toContainText('Failed');
	await expectAccessible(page);

	provider.failWhen(undefined);
	await all.press('Enter');
	await expectSearchable(page, 'ebb.txt', 'ferry.txt');
	await expect(all).toHaveCount(0);
});

test('an operator finds from the account what needs mending, and mends it', async ({
	signedIn: page,
	server,
	email
}) => {
	await page.getByRole('button', { name: `Account of ${email}` }).click();
	await page.getByRole('menuitem', { name: 'Server' }).click();
	await expect(page).toHaveURL(/\/admin$/);
	await page.getByRole('button', { name: 'Examine' }).click();
	await expect(page.getByText('Nothing needs mending.')).toBeVisible();
	await expectAccessible(page);

	await page.goto('/');
	await choose(page, note('islet'));
	await expectSearchable(page, 'islet.txt');
	const id = await page.getByRole('link', { name: 'islet.txt', exact: true }).getAttribute('href');
	await loseOriginals(server.dataDir);
	await page.goto('/admin');
	await page.getByRole('button', { name: 'Examine' }).click();
	await expect(page.getByText('Something needs mending.')).toBeVisible();
	await expect(page.getByRole('main')).toContainText(id?.split('/').at(-1) ?? 'an id');
	await expect(page.getByRole('main')).not.toContainText('islet.txt');
	await expectAccessible(page);
	await page.getByRole('button', { name: 'Mend' }).press('Enter');
	await expect(page.getByRole('status').filter({ hasText: 'marked as lost' })).toBeVisible();
	await expect(page.getByText('Nothing needs mending.')).toBeVisible();
	await expect(page.getByRole('list', { name: 'What operators did' })).toContainText(`${email} · mend`);
});

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });

	test('the same buttons work', async ({ page, context, server, email, provider }) => {
		await signIn(context, server, email);
		provider.failWhen(() => ({ kind: 'status', status: 401 }));
		await page.goto('/');
		await page.locator('input[type=file]').setInputFiles([note('gale'), note('hawser')]);
		await page.getByRole('button', { name: 'Upload' }).click();
		const becomes = (word: string) =>
			expect(async () => {
				await page.reload();
				await expect(page.getByRole('listitem').filter({ hasText: word })).toHaveCount(2, { timeout: 100 });
			}).toPass({ timeout: 30_000 });
		await becomes('Failed');
		provider.failWhen(undefined);
		await page.getByRole('button', { name: 'Retry all failed' }).click();
		await becomes('Searchable');
		await page.getByRole('button', { name: 'Process again gale.txt' }).click();
		await becomes('Searchable');
	});
});

async function loseOriginals(dataDir: string): Promise<void> {
	const blobs = path.join(dataDir, 'files');
	const names = (await readdir(blobs)).filter((name) => !name.startsWith('.'));
	await Promise.all(names.map((name) => rm(path.join(blobs, name, 'original'), { force: true })));
}
