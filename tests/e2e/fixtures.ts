// What every browser test stands on: one built server per worker, a person of its own per test, and a page that
// fails its test when anything complains (a refused script, an uncaught error, a mismatch while hydrating).
import { AxeBuilder } from '@axe-core/playwright';
import { test as base, type BrowserContext, expect, type Locator, type Page } from '@playwright/test';
import { startServer, type TestServer } from '../support/server.ts';

export { expect };

export type Upload = { name: string; mimeType: string; buffer: Buffer };

let people = 0;

export const test = base.extend<{ email: string; signedIn: Page }, { server: TestServer }>({
	server: [
		// eslint-disable-next-line no-empty-pattern -- Playwright reads the pattern to know what a fixture needs
		async ({}, use) => {
			const server = await startServer({ LOG_LEVEL: 'warn' });
			await use(server);
			await server.dispose();
		},
		{ scope: 'worker' }
	],
	baseURL: ({ server }, use) => use(server.url),
	// eslint-disable-next-line no-empty-pattern -- as above
	email: ({}, use) => use(`person${++people}@localhost`),
	page: async ({ page }, use) => {
		const complaints = complaintsOf(page);
		await use(page);
		expect(complaints).toEqual([]);
	},
	signedIn: async ({ page, context, server, email }, use) => {
		await signIn(context, server, email);
		await page.goto('/');
		await expect(page.getByText('Live', { exact: true })).toBeVisible();
		await use(page);
	}
});

export async function signIn(context: BrowserContext, server: TestServer, email: string): Promise<void> {
	const answer = await context.request.post(`${server.url}/auth/local`, {
		data: { email },
		headers: { origin: server.url }
	});
	expect(answer.status()).toBe(204);
}

export function complaintsOf(page: Page): string[] {
	const complaints: string[] = [];
	page.on('pageerror', (error) => complaints.push(String(error)));
	page.on('console', (message) => {
		if (/Content Security Policy|hydration/i.test(message.text())) complaints.push(message.text());
	});
	return complaints;
}

export async function choose(page: Page, ...files: Upload[]): Promise<void> {
	await page.locator('input[type=file]').setInputFiles(files);
}

export function rowOf(page: Page, name: string): Locator {
	return page.getByRole('listitem').filter({ hasText: name });
}

export async function expectSearchable(page: Page, ...names: string[]): Promise<void> {
	for (const name of names) await expect(rowOf(page, name)).toContainText('Searchable', { timeout: 30_000 });
}

/** No accessibility violation, in the light and in the dark. */
export async function expectAccessible(page: Page): Promise<void> {
	for (const colorScheme of ['light', 'dark'] as const) {
		await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
		const { violations } = await new AxeBuilder({ page }).analyze();
		const told = violations.map(
			({ id, nodes }) => `${colorScheme}: ${id}: ${nodes.map(({ html }) => html).join(' | ')}`
		);
		expect(told).toEqual([]);
	}
	await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
