import { gzipSync } from 'node:zlib';
import { expect, signIn, test } from './fixtures.ts';

const mostBytes = 120_000;

test('the list page sends little JavaScript', async ({ page, context, server, email }) => {
	const bodies: Promise<Buffer>[] = [];
	page.on('response', (answer) => {
		if (new URL(answer.url()).pathname.endsWith('.js')) bodies.push(answer.body());
	});
	await signIn(context, server, email);
	await page.goto('/');
	await expect(page.getByText('Live', { exact: true })).toBeVisible();
	const bytes = (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body).length, 0);
	test.info().annotations.push({ type: 'gzipped', description: `${bytes} bytes in ${bodies.length} files` });
	expect(bytes).toBeGreaterThan(10_000);
	expect(bytes).toBeLessThan(mostBytes);
});
