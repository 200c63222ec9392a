import { expect, test } from './fixtures.ts';

const mostMs = 200;

test('a thousand files dropped at once leave the page fluid', async ({ signedIn: page }) => {
	// The server's answers are held back: what is measured is the page alone.
	await page.route('**/api/files/upload', () => undefined);
	const longestMs = await page.evaluate(async () => {
		const longest = { ms: 0 };
		new PerformanceObserver((list) => {
			for (const { duration } of list.getEntries()) longest.ms = Math.max(longest.ms, duration);
		}).observe({ type: 'longtask' });
		const transfer = new DataTransfer();
		for (let i = 0; i < 1000; i++)
			transfer.items.add(new File([`text ${i}`], `note-${i}.txt`, { type: 'text/plain' }));
		window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
		const frames = (n: number) =>
			new Promise<void>((done) => {
				const next = (left: number) => (left === 0 ? done() : requestAnimationFrame(() => next(left - 1)));
				next(n);
			});
		await frames(60);
		for (let y = 0; y < 4000; y += 200) {
			scrollTo(0, y);
			await frames(1);
		}
		return longest.ms;
	});
	test.info().annotations.push({ type: 'longest task', description: `${longestMs} ms` });
	await expect(page.getByText('1,000 files')).toBeVisible();
	expect(await page.getByRole('progressbar').count()).toBeLessThan(400);
	expect(longestMs).toBeLessThan(mostMs);
});
