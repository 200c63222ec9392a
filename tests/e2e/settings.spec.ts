import { makeText } from '../support/make-files.ts';
import { choose, expect, expectAccessible, expectSearchable, signIn, test } from './fixtures.ts';

const note = { name: 'note.txt', mimeType: 'text/plain', buffer: makeText('A lantern on the pier.') };

test('the settings tell who is signed in, what is used, and how files are searched', async ({
	signedIn: page,
	email
}) => {
	await choose(page, note);
	await expectSearchable(page, 'note.txt');
	await page.getByRole('button', { name: `Account of ${email}` }).click();
	await page.getByRole('menuitem', { name: 'Settings' }).click();
	await expect(page).toHaveURL(/\/settings$/);
	const main = page.getByRole('main');
	await expect(main.getByText(email, { exact: true }).first()).toBeVisible();
	await expect(main).toContainText('22 B of 53.7 GB used by 1 file');
	await expect(main).toContainText('By words and their parts, not by meaning: no model is connected.');
	await expect(main).toContainText('this browser');
	await expectAccessible(page);
});

test('another session is ended from here, and its page notices', async ({
	signedIn: page,
	browser,
	server,
	email
}) => {
	const elsewhere = await browser.newContext({ baseURL: server.url });
	await signIn(elsewhere, server, email);
	const theirs = await elsewhere.newPage();
	await theirs.goto('/');
	await expect(theirs.getByText('Live', { exact: true })).toBeVisible();
	await page.goto('/settings');
	await expect(page.getByRole('button', { name: /^Sign out .*(?<!this browser)$/ })).not.toHaveCount(0);
	const other = page.getByRole('listitem').filter({ hasNotText: 'this browser' });
	await expect(other).toHaveCount(1);
	await other.getByRole('button').click();
	await expect(other).toHaveCount(0);
	await expect(theirs.getByText('Signed out', { exact: true })).toBeVisible();
	await expect(page.getByText('Live', { exact: true })).toBeVisible();
	await page.getByRole('button', { name: 'Sign out everywhere' }).click();
	await expect(page).toHaveURL(/\/sign-in/);
	await elsewhere.close();
});

test('everything is deleted only when the address is typed', async ({
	signedIn: page,
	context,
	server,
	email
}) => {
	await choose(page, note);
	await expectSearchable(page, 'note.txt');
	await page.goto('/settings');
	await page.getByRole('textbox', { name: /to confirm/ }).fill('somebody@else');
	await page.getByRole('button', { name: 'Delete everything' }).click();
	await expect(page.getByRole('alert')).toHaveText('What was typed is not the address of this account.');
	await expectAccessible(page);
	await page.getByRole('textbox', { name: /to confirm/ }).fill(email);
	await page.getByRole('button', { name: 'Delete everything' }).click();
	await expect(page).toHaveURL(/\/sign-in/);
	await signIn(context, server, email);
	await page.goto('/');
	await expect(page.getByRole('heading', { name: /Drop files here/ })).toBeVisible();
});
