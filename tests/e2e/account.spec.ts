import { expect, expectAccessible, test } from './fixtures.ts';

test('a stranger is led to the sign-in, and back to what was asked for', async ({ page }) => {
	await page.goto('/search?q=lantern');
	await expect(page).toHaveURL(/\/sign-in\?next=/);
	await expectAccessible(page);
	await page.getByRole('button', { name: 'Continue on this machine' }).click();
	await expect(page).toHaveURL(/\/search\?q=lantern/);
	await expect(page.getByRole('heading', { name: 'Nothing found for “lantern”' })).toBeVisible();
	await expectAccessible(page);
});

test('signing out leads to the sign-in, also in the other tab', async ({
	signedIn: page,
	context,
	email
}) => {
	const second = await context.newPage();
	await second.goto('/');
	await expect(second.getByText('Live', { exact: true })).toBeVisible();

	await page.getByRole('button', { name: `Account of ${email}` }).click();
	await expect(page.getByRole('menu')).toContainText(email);
	await page.getByRole('menuitem', { name: 'Sign out' }).click();
	await expect(page).toHaveURL(/\/sign-in/);
	await expect(second.getByText('Signed out', { exact: true })).toBeVisible();
	await expect(second.getByRole('link', { name: 'Sign in again' })).toBeVisible();
});

test('a chosen theme is there before the first paint, and the policy for scripts holds', async ({
	signedIn: page,
	email
}) => {
	await page.emulateMedia({ colorScheme: 'light' });
	const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const light = await paper();
	await page.getByRole('button', { name: `Account of ${email}` }).click();
	await expectAccessible(page);
	await page.emulateMedia({ colorScheme: 'light' });
	await page.getByRole('menuitemradio', { name: 'Dark' }).click();
	const dark = await paper();
	expect(dark).not.toBe(light);

	await page.addInitScript(() => {
		// The first moment at which there is a body to paint.
		new MutationObserver((_, observer) => {
			if (!document.body) return;
			document.documentElement.dataset.atFirst = document.documentElement.dataset.theme ?? 'none';
			observer.disconnect();
		}).observe(document, { childList: true, subtree: true });
	});
	const answer = await page.reload();
	expect(answer?.headers()['content-security-policy']).toMatch(/script-src 'self' 'nonce-/);
	expect(await page.evaluate(() => document.documentElement.dataset.atFirst)).toBe('dark');
	expect(await paper()).toBe(dark);

	await page.getByRole('button', { name: `Account of ${email}` }).click();
	await page.getByRole('menuitemradio', { name: 'As the system' }).click();
	expect(await paper()).toBe(light);
});

test('an address that leads nowhere says so, with a way back', async ({ signedIn: page }) => {
	const answer = await page.goto('/nowhere');
	expect(answer?.status()).toBe(404);
	await expectAccessible(page);
	await page.getByRole('link', { name: 'All files' }).click();
	await expect(page.getByRole('heading', { name: /Drop files here/ })).toBeVisible();
});
