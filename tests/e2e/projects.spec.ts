import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from '@playwright/test';
import type { TestServer } from '../support/server.ts';
import { choose, expect, expectAccessible, expectSearchable, rowOf, signIn, test } from './fixtures.ts';

const text = (name: string, words: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(words) });

async function enterAs(browser: Browser, server: TestServer, email: string) {
	const context = await browser.newContext({ baseURL: server.url });
	await signIn(context, server, email);
	return context.newPage();
}

/** What is chosen before the page's scripts have begun would be lost. */
const expectLive = (page: Page) => expect(page.getByText('Live', { exact: true })).toBeVisible();

test('a project is begun, shared, filled, and lost by whoever is removed', async ({
	signedIn: page,
	browser,
	server,
	email
}) => {
	const friend = `a-friend-from-the-far-side-of-the-bay-of-${email}`;
	await page.getByRole('link', { name: 'Projects' }).click();
	await page.getByLabel('Name of a new project').fill('Harbour works');
	await page.getByRole('button', { name: 'Begin' }).click();
	await expect(page.getByRole('heading', { name: 'Harbour works' })).toBeVisible();

	await page.getByLabel('E-mail address to invite').fill(friend);
	await page.getByRole('button', { name: 'Invite' }).click();
	await expect(page.getByText('Invited, may look')).toBeVisible();
	await choose(page, text('survey.txt', 'The quay wall was surveyed in spring.'));
	await expectSearchable(page, 'survey.txt');

	const other = await enterAs(browser, server, friend);
	await other.goto('/projects');
	await expectAccessible(other);
	await other.getByRole('button', { name: 'Join Harbour works' }).click();
	await expect(rowOf(other, 'survey.txt')).toContainText('Searchable');
	await expect(other.getByLabel('Choose files')).toHaveCount(0);
	await expect(rowOf(other, 'survey.txt').getByRole('button', { name: 'Delete survey.txt' })).toHaveCount(0);

	// What one adds, the other sees without doing anything.
	await choose(page, text('repairs.txt', 'Repairs of the quay wall cost more than planned.'));
	await expectSearchable(other, 'repairs.txt');
	await expect(other.getByTitle('Quay wall')).toBeVisible({ timeout: 20_000 });
	await expectAccessible(page);
	await expectAccessible(other);

	await page.getByRole('button', { name: 'Accept Quay wall' }).click();
	await other.getByRole('link', { name: 'Quay wall', exact: true }).click();
	await expect(other.getByText('2 files with the tag Quay wall')).toBeVisible();
	await other.getByRole('link', { name: 'Show all' }).click();
	await expect(rowOf(other, 'survey.txt').first()).toBeVisible();

	await page.reload();
	await page.getByRole('button', { name: `Make owner: ${friend}` }).click();
	await expect(page.getByRole('listitem').filter({ hasText: 'The project is offered' })).toContainText(
		friend
	);
	await expectAccessible(page);
	const desktop = page.viewportSize() ?? { width: 1200, height: 900 };
	await page.setViewportSize({ width: 390, height: 844 });
	expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
	await page.setViewportSize(desktop);
	await other.goto('/projects');
	await other.getByRole('button', { name: 'Take over Harbour works' }).click();
	await expect(other.getByRole('heading', { name: 'Harbour works' })).toBeVisible();
	await other.getByRole('button', { name: `Remove ${email}` }).click();
	await expect(page.getByRole('heading', { name: 'not yours to see' })).toBeVisible();
	await expect(page.getByText('survey.txt')).toHaveCount(0);
	await other.close();
});

test('a large file goes on in a project where it was left, and again after a reload', async ({
	signedIn: page
}) => {
	const mib = 1024 * 1024;
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
	const log = path.join(folder, 'log.txt');
	const words = `The log of the dredger.\n${'-'.repeat(17 * mib)}`;
	await writeFile(log, words);
	const offsets: number[] = [];
	let release: () => void = () => undefined;
	await page.route('**/api/uploads/*', async (route) => {
		if (route.request().method() !== 'PATCH') return route.continue();
		offsets.push(Number(route.request().headers()['upload-offset']));
		if (offsets.length % 2 === 0) await new Promise<void>((resolve) => (release = resolve));
		await route.continue().catch(() => undefined);
	});
	await page.goto('/projects');
	await page.getByLabel('Name of a new project').fill('Dredging');
	await page.getByRole('button', { name: 'Begin' }).click();
	await expectLive(page);
	await page.locator('input[type=file]').setInputFiles(log);
	await expect.poll(() => offsets).toEqual([0, 16 * mib]);
	await page.getByRole('button', { name: 'Pause log.txt' }).press('Enter');
	await expect(rowOf(page, 'log.txt')).toContainText('Paused at');
	release();

	await page.getByRole('link', { name: '← Projects' }).click();
	await page.getByRole('link', { name: 'Dredging' }).click();
	await expect(rowOf(page, 'log.txt')).toContainText('Paused at');
	page.on('dialog', (dialog) => void dialog.accept());
	await page.reload();
	const note = page.getByRole('list', { name: 'Unfinished' });
	const chooser = page.waitForEvent('filechooser');
	await note.getByRole('button', { name: 'Choose log.txt' }).click();
	await (await chooser).setFiles(log);
	await expect(note).toHaveCount(0);
	await expect(page.getByRole('link', { name: 'log.txt', exact: true })).toBeVisible({ timeout: 30_000 });
	expect(offsets).toEqual([0, 16 * mib, 16 * mib]);

	// What the project has already is not sent again.
	await choose(page, text('again.txt', words));
	await expect(rowOf(page, 'again.txt')).toContainText('You already have this: log.txt');
	await page.goto('/');
	await expect(page.getByText('log.txt')).toHaveCount(0);
	await rm(folder, { recursive: true });
});

test('a file of a project has its page, live, and leads back to the project', async ({ signedIn: page }) => {
	await page.goto('/projects');
	await page.getByLabel('Name of a new project').fill('Pages');
	await page.getByRole('button', { name: 'Begin' }).click();
	await expectLive(page);
	// Topics name files too.
	const files = page.getByRole('list', { name: 'Files' }).getByRole('listitem');
	const expectListed = (name: string) =>
		expect(files.filter({ hasText: name })).toContainText('Searchable', { timeout: 30_000 });
	await choose(page, text('note.txt', 'A note about lanterns.'));
	await expectListed('note.txt');
	await page.getByRole('link', { name: 'note.txt', exact: true }).click();
	await expect(page.getByRole('heading', { name: 'note.txt' })).toBeVisible();
	await page.getByRole('link', { name: '← Pages' }).click();
	await expectListed('note.txt');

	// The page that is come back to is as alive as it was, however one came.
	await choose(page, text('second.txt', 'Another note.'));
	await expectListed('second.txt');
	await page.getByRole('link', { name: 'second.txt', exact: true }).click();
	await expect(page.getByRole('heading', { name: 'second.txt' })).toBeVisible();
	await page.goBack();
	await choose(page, text('third.txt', 'One more.'));
	await expectListed('third.txt');
	await expect(files).toHaveCount(3);
	await page.goto('/');
	await expect(page.getByText('note.txt')).toHaveCount(0);
});

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });

	test('projects can be begun, filled and shared', async ({ page, context, server, email }) => {
		await signIn(context, server, email);
		await page.goto('/projects');
		await page.getByLabel('Name of a new project').fill('Plain');
		await page.getByRole('button', { name: 'Begin' }).click();
		await page.locator('input[type=file]').setInputFiles(text('plain.txt', 'plain words '.repeat(10_000)));
		await page.getByRole('button', { name: 'Upload' }).click();
		await expect(page.getByRole('link', { name: 'plain.txt', exact: true })).toBeVisible();
		await page.getByLabel('E-mail address to invite').fill(email);
		await page.getByRole('button', { name: 'Invite' }).click();
		await expect(page.getByRole('alert')).toHaveText('Somebody with this address is a member already.');
		await page.getByLabel('E-mail address to invite').fill('somebody@localhost');
		await page.getByRole('button', { name: 'Invite' }).click();
		await expect(page.getByText('somebody@localhost')).toBeVisible();
	});
});
