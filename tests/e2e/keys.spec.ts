import { expect, expectAccessible, signIn, test } from './fixtures.ts';

test('a key is made, shown once, copied, used and revoked', async ({
	signedIn: page,
	server,
	email,
	context
}) => {
	await context.grantPermissions(['clipboard-read', 'clipboard-write']);
	await page.getByRole('button', { name: `Account of ${email}` }).click();
	await page.getByRole('menuitem', { name: 'Settings' }).click();
	await page.getByRole('link', { name: 'Keys' }).click();
	await page.getByRole('textbox', { name: 'Name' }).fill('Scanner in the hall');
	await page.getByRole('checkbox', { name: /^Write/ }).check();
	await page.getByRole('button', { name: 'Make a key' }).click();

	const token = (await page.getByTestId('token').textContent()) ?? '';
	expect(token).toMatch(/^asura_/);
	await page.getByRole('button', { name: 'Copy' }).click();
	await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
	expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
	await expectAccessible(page);

	const files = () =>
		fetch(new URL('/api/files', server.url), { headers: { authorization: `Bearer ${token}` } });
	expect((await files()).status).toBe(200);
	await page.goto('/settings/keys');
	await expect(page.getByTestId('token')).toHaveCount(0);
	await expect(page.getByRole('listitem').filter({ hasText: 'Scanner in the hall' })).toContainText(
		'read, write'
	);
	await page.getByRole('button', { name: 'Revoke Scanner in the hall' }).click();
	await expect(page.getByRole('list', { name: 'Your keys' })).toHaveCount(0);
	expect((await files()).status).toBe(401);
});

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });

	test('keys are made and revoked, and a key that may do nothing is refused in words', async ({
		page,
		context,
		server,
		email
	}) => {
		await signIn(context, server, email);
		await page.goto('/settings/keys');
		await page.getByRole('textbox', { name: 'Name' }).fill('Plain');
		await page.getByRole('checkbox', { name: /^Read/ }).uncheck();
		await page.getByRole('button', { name: 'Make a key' }).click();
		await expect(page.getByRole('alert')).toContainText('at least one thing');
		await page.getByRole('textbox', { name: 'Name' }).fill('Plain');
		await page.getByRole('button', { name: 'Make a key' }).click();
		await expect(page.getByTestId('token')).toContainText('asura_');
		await page.getByRole('button', { name: 'Revoke Plain' }).click();
		await expect(page.getByRole('list', { name: 'Your keys' })).toHaveCount(0);
	});
});

test('the API is described for strangers too, without scripts of anybody', async ({ page }) => {
	const outside: string[] = [];
	page.on('request', (request) => {
		if (new URL(request.url()).hostname !== '127.0.0.1') outside.push(request.url());
	});
	await page.goto('/docs');
	await page.getByText('Upload files', { exact: true }).click();
	await expect(page.getByText('upload.too_large').first()).toBeVisible();
	await expectAccessible(page);
	expect(outside).toEqual([]);
});
