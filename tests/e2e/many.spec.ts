import { expect, test } from './fixtures.ts';

/** A thousand rows drawn at once take a second or more; the rows that are seen, far less, on a busy machine too. */
const mostMs = 250;

declare global {
	interface Window {
		manyFiles: DataTransfer;
		waitFrames(count: number): Promise<void>;
	}
}

test('a thousand files dropped at once leave the page fluid', async ({ signedIn: page }) => {
	// The server's answers are held back: what is measured is the page alone.
	await page.route('**/api/files/upload', () => undefined);
	await page.evaluate(() => {
		window.manyFiles = new DataTransfer();
		for (let i = 0; i < 1000; i++) {
			window.manyFiles.items.add(new File([`text ${i}`], `note-${i}.txt`, { type: 'text/plain' }));
		}
		window.waitFrames = (count) =>
			new Promise((done) => {
				const next = (left: number) => (left === 0 ? done() : requestAnimationFrame(() => next(left - 1)));
				next(count);
			});
	});
	const longestMs = await page.evaluate(async () => {
		await window.waitFrames(20);
		const longest = { ms: 0 };
		new PerformanceObserver((list) => {
			for (const { duration } of list.getEntries()) longest.ms = Math.max(longest.ms, duration);
		}).observe({ type: 'longtask' });
		const drop = new DragEvent('drop', { dataTransfer: window.manyFiles, cancelable: true });
		window.dispatchEvent(drop);
		await window.waitFrames(60);
		for (let y = 0; y < 4000; y += 100) {
			scrollTo(0, y);
			await window.waitFrames(1);
		}
		return longest.ms;
	});
	test.info().annotations.push({ type: 'longest task', description: `${longestMs} ms` });
	await expect(page.getByText('1,000 files')).toBeVisible();
	expect(await page.getByRole('progressbar').count()).toBeLessThan(400);
	expect(longestMs).toBeLessThan(mostMs);
});
