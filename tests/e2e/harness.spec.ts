import { startServer, type TestServer } from '../support/server.ts';
import { expect, signIn, test } from './fixtures.ts';

test.describe('the harness', () => {
	let own: TestServer;
	test.beforeAll(async () => {
		own = await startServer({ LOG_LEVEL: 'warn', HARNESS: 'on', HEARTBEAT_SECONDS: '1' });
	});
	test.afterAll(() => own.dispose());

	test('shows the frames of a synthetic file, and survives a dropped and a frozen network', async ({
		context,
		page,
		email
	}) => {
		await signIn(context, own, email);
		await page.goto(`${own.url}/harness`);
		const numbers = page.locator('dl');
		const frames = page.getByRole('list', { name: /Raw frames/ });
		await expect(numbers).toContainText('live');
		await page.getByRole('button', { name: 'Kill a worker' }).click();
		await expect(page.getByRole('status').filter({ hasText: 'A worker was ended' })).toBeVisible();
		await page.getByLabel('Stage').fill('200');
		await page.getByRole('button', { name: 'Synthetic file' }).click();
		await expect(frames).toContainText('"status":"completed"');
		await page.getByLabel('fails at').selectOption('embedding');
		await page.getByRole('button', { name: 'Synthetic file' }).click();
		await expect(frames).toContainText('"status":"failed"');

		await page.getByRole('button', { name: 'Drop network' }).click();
		await expect(numbers).toContainText('reconnecting');
		await page.getByRole('button', { name: 'Network back' }).click();
		await expect(numbers).toContainText('live');
		await page.getByRole('button', { name: 'Freeze' }).click();
		await expect(numbers).toContainText('reconnecting');
		await page.getByRole('button', { name: 'Network back' }).click();
		await expect(numbers).toContainText('live');

		// Beside the harness's own stream, each of its tabs shares one for the progress in the header.
		await expect(numbers).toContainText('tabs on the shared connection 1');
		for (let tabs = 2; tabs <= 3; tabs++) {
			await (await context.newPage()).goto(own.url);
			await expect(numbers).toContainText(`tabs on the shared connection ${tabs}`);
		}

		await page.getByRole('button', { name: 'Notify me' }).click();
		await page.getByLabel('Filter').fill('notification');
		await expect(frames.getByRole('listitem').first()).toContainText('A notification of the harness');
	});

	test('is not there in production unless it was asked for', async ({ context, server, email }) => {
		await signIn(context, server, email);
		expect((await context.request.get(`${server.url}/harness`)).status()).toBe(404);
	});
});
