import { makePdf, pageText } from '../support/make-files.ts';
import { choose, expect } from './fixtures.ts';
import { test } from './provider-fixtures.ts';

test('how far everything is stands in the header and in the title of every page', async ({
	signedIn: page,
	provider
}) => {
	provider.failWhen(() => ({ kind: 'rate_limited', retryAfterSeconds: 1 }));
	await choose(page, { name: 'log.pdf', mimeType: 'application/pdf', buffer: makePdf([pageText(1)]) });
	await page.getByRole('link', { name: 'log.pdf', exact: true }).click();
	await expect(page).toHaveTitle(/^\d+ % · log\.pdf · Asura$/);
	await expect(page.getByRole('link', { name: /1 in progress · \d+ %/ })).toBeVisible();

	provider.failWhen(undefined);
	await expect(page).toHaveTitle('log.pdf · Asura', { timeout: 40_000 });
	await expect(page.getByRole('link', { name: /in progress/ })).toHaveCount(0);
});
