import { makePdf, makeText, truncated } from '../support/make-files.ts';
import { choose, expect, expectAccessible, expectSearchable, rowOf, test } from './fixtures.ts';

const type = 'application/pdf';
const intact = makePdf(['The observatory opened its dome. '.repeat(60), 'Second page. '.repeat(60)]);

test('a damaged file says what happened, what was kept and what helps, and harms no other', async ({
	signedIn: page
}) => {
	await choose(
		page,
		{ name: 'broken.pdf', mimeType: type, buffer: truncated(intact, 0.4) },
		{ name: 'good.pdf', mimeType: type, buffer: intact },
		{ name: 'nothing.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) }
	);
	const broken = rowOf(page, 'broken.pdf');
	await expect(broken).toContainText('Failed', { timeout: 30_000 });
	await expect(broken).toContainText('The file is damaged and cannot be read.');
	await expect(broken).toContainText('The original is kept. Upload an intact copy.');
	await expect(rowOf(page, 'nothing.txt')).toContainText('Not sent The file is empty. Nothing was stored.');
	await expectSearchable(page, 'good.pdf');
	await expectAccessible(page);

	await page.reload();
	await expect(broken).toContainText('The file is damaged and cannot be read.');
	await page.getByRole('link', { name: 'broken.pdf', exact: true }).click();
	await expect(page.getByRole('heading', { level: 1 })).toHaveText('broken.pdf');
	await expect(page.getByRole('main')).toContainText('The original is kept.');
	await expectAccessible(page);
});

test('a protected PDF is unlocked with its password', async ({ signedIn: page }) => {
	const buffer = makePdf(['The secret cellar holds copper. '.repeat(20)], { password: 'sesame' });
	await choose(page, { name: 'cellar.pdf', mimeType: type, buffer });
	const row = rowOf(page, 'cellar.pdf');
	await expect(row).toContainText('The PDF is protected by a password.', { timeout: 30_000 });

	await row.getByRole('button', { name: 'Unlock' }).click();
	await expect(page.getByRole('dialog')).toBeVisible();
	await expectAccessible(page);
	await page.getByLabel('Password of the PDF').fill('sesame');
	await page.getByRole('button', { name: 'Read the file' }).click();
	await expectSearchable(page, 'cellar.pdf');

	// Its pages are drawn with the password that was just given; a new window asks for it, and tells nobody.
	await page.getByRole('link', { name: 'cellar.pdf', exact: true }).click();
	const preview = page.getByRole('region', { name: 'Preview' });
	const drawn = page.locator('[data-page="1"]');
	await expect(drawn).toBeVisible();
	await page.reload();
	const ask = async (password: string) => {
		await preview.getByLabel(/This PDF is protected/).fill(password);
		await preview.getByRole('button', { name: 'Show the pages' }).click();
	};
	await ask('mellon');
	await expect(preview.getByText('That is not its password.')).toBeVisible();
	await expectAccessible(page);
	await ask('sesame');
	await expect(drawn).toBeVisible();
});

test('an upload that the line breaks keeps its row and goes on by itself', async ({ signedIn: page }) => {
	await page.route('**/api/files/upload', (route) => route.abort());
	await choose(page, {
		name: 'letter.txt',
		mimeType: 'text/plain',
		buffer: makeText('Dear harbour master,')
	});
	const row = rowOf(page, 'letter.txt');
	await expect(row).toContainText('Waiting for the connection');
	await page.unroute('**/api/files/upload');
	await expectSearchable(page, 'letter.txt');
	await expect(rowOf(page, 'letter.txt')).toHaveCount(1);
});
