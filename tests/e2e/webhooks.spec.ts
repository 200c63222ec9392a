import { startReceiver } from '../support/receiver.ts';
import { startServer } from '../support/server.ts';
import { expect, expectAccessible, signIn, test } from './fixtures.ts';

test('a webhook is added, tried, seen to arrive, sent again and removed', async ({
	page,
	context,
	email
}) => {
	const server = await startServer({ WEBHOOK_ALLOW_PRIVATE: 'on', LOG_LEVEL: 'warn' });
	const receiver = await startReceiver();
	try {
		await signIn(context, server, email);
		await page.goto(`${server.url}/settings`);
		await page.getByRole('link', { name: 'Webhooks' }).click();
		await expectAccessible(page);
		await page.getByLabel('Address').fill(receiver.url);
		await page.getByRole('button', { name: 'Add' }).click();
		await expect(page.getByTestId('secret')).toHaveText(/^whsec_/);
		await expect(page.getByRole('list', { name: 'Your webhooks' })).toContainText(receiver.url);
		await expectAccessible(page);

		await page.getByRole('button', { name: 'Test' }).click();
		const log = page.getByRole('list', { name: 'Deliveries' });
		await expect(log).toContainText('Answered 200');
		await expect(page.getByTestId('secret')).toBeHidden();
		receiver.answer = (response) => void response.writeHead(503).end();
		await log.getByRole('button', { name: /again/ }).click();
		await expect(log).toContainText('The receiver answered 503. Again in');
		await expect(page.getByText('Failing')).toBeVisible();
		expect(new Set(receiver.ids()).size).toBe(1);
		await expectAccessible(page);
		await page.screenshot({ path: test.info().outputPath('webhooks.png'), fullPage: true });
		await page.setViewportSize({ width: 390, height: 844 });
		expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
		await page.emulateMedia({ colorScheme: 'dark' });
		await page.screenshot({ path: test.info().outputPath('webhooks-phone.png'), fullPage: true });

		await page.getByRole('button', { name: 'New secret' }).click();
		await expect(page.getByTestId('secret')).toHaveText(/^whsec_/);
		await expect(page.getByText('The old secret signs too until')).toBeVisible();
		await expectAccessible(page);
		await page.getByRole('button', { name: 'Switch off' }).click();
		await expect(page.getByText('Switched off.')).toBeVisible();
		await page.getByRole('button', { name: 'Remove' }).click();
		await expect(page.getByRole('list', { name: 'Your webhooks' })).toBeHidden();
	} finally {
		await receiver.close();
		await server.dispose();
	}
});

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });
	test('a webhook is added, and a wrong address is refused in words', async ({
		page,
		context,
		server,
		email
	}) => {
		await signIn(context, server, email);
		await page.goto('/settings/webhooks');
		await page.getByLabel('Address').fill('https://127.0.0.1/hook');
		await page.getByRole('button', { name: 'Add' }).click();
		await expect(page.getByRole('alert')).toHaveText('That address is not a public one.');
		await expect(page.getByLabel('Address')).toHaveValue('https://127.0.0.1/hook');
		await page.getByLabel('Address').fill('https://hooks.example.org/');
		await page.getByRole('button', { name: 'Add' }).click();
		await expect(page.getByTestId('secret')).toHaveText(/^whsec_/);
	});
});
