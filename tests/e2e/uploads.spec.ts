// Sending files: pause, a broken line, a reload, a restarting server, folders, paste, and what is there already.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page, Request } from '@playwright/test';
import { makeText } from '../support/make-files.ts';
import { startServer } from '../support/server.ts';
import {
	choose,
	complaintsOf,
	expect,
	expectAccessible,
	expectSearchable,
	rowOf,
	signIn,
	test
} from './fixtures.ts';

const mib = 1024 * 1024;
let folder: string;

test.beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
	await writeFile(path.join(folder, 'log.txt'), aLog(17 * mib));
});
test.afterAll(() => rm(folder, { recursive: true }));

/** Text that is no second copy of anything, just long enough for a second piece. */
function aLog(bytes: number): string {
	return `${randomBytes(8).toString('hex')} was the number of the buoy.\n${'-'.repeat(bytes)}`.slice(
		0,
		bytes
	);
}

const big = () => path.join(folder, 'log.txt');
const chooseBig = (page: Page) => page.locator('input[type=file]').setInputFiles(big());
/** Once the server has it. */
const takenRow = (page: Page) => page.getByRole('link', { name: 'log.txt', exact: true });
const percentOf = async (page: Page, name: string) =>
	Number(await rowOf(page, name).getByRole('progressbar').getAttribute('aria-valuenow'));

/** The line lets so many pieces pass and then holds each one until it is let go. */
async function holdAfter(page: Page, pieces: number) {
	const offsets: number[] = [];
	let release: () => void = () => undefined;
	const released = new Promise<void>((resolve) => (release = resolve));
	await page.route('**/api/uploads/*', async (route) => {
		const request = route.request();
		if (request.method() !== 'PATCH') return route.continue();
		offsets.push(Number(request.headers()['upload-offset']));
		if (offsets.length > pieces) await released;
		// The page may have given this request up meanwhile.
		await route.continue().catch(() => undefined);
	});
	return { offsets, release };
}

test('an upload is paused, goes on where it was, and its bar never goes back', async ({ signedIn: page }) => {
	const { offsets, release } = await holdAfter(page, 1);
	await chooseBig(page);
	await expect.poll(() => offsets.length).toBe(2);
	await rowOf(page, 'log.txt').hover();
	await page.getByRole('button', { name: 'Pause log.txt' }).press('Enter');
	await expect(rowOf(page, 'log.txt')).toContainText(/Paused at [\d.]+ of 17.8 MB/);
	const before = await percentOf(page, 'log.txt');
	expect(before).toBeGreaterThan(0);
	await expectAccessible(page);

	release();
	await page.getByRole('button', { name: 'Resume log.txt' }).press('Enter');
	await expect.poll(() => offsets.length).toBeGreaterThan(2);
	expect(offsets[2]).toBe(16 * mib);
	expect(await percentOf(page, 'log.txt')).toBeGreaterThanOrEqual(before);
	await expect(takenRow(page)).toBeVisible({ timeout: 30_000 });
	await expect(rowOf(page, 'log.txt')).toHaveCount(1);
});

test('an upload is stopped for good, and the server forgets it', async ({ signedIn: page }) => {
	const { offsets } = await holdAfter(page, 1);
	const stop = () => page.getByRole('button', { name: 'Stop sending log.txt' }).click();
	const isEnd = (request: Request) => request.method() === 'DELETE';
	await chooseBig(page);
	await expect.poll(() => offsets.length).toBe(2);
	const [ended] = await Promise.all([page.waitForRequest(isEnd), stop()]);
	expect((await ended.response())?.status()).toBe(204);

	// The server has it already, and the page does not know yet.
	const { promise: isStopped, resolve: goOn } = Promise.withResolvers<void>();
	await page.route('**/api/uploads', async (route) => {
		const response = await route.fetch();
		await isStopped;
		await route.fulfill({ response });
	});
	const announced = page.waitForRequest('**/api/uploads');
	await chooseBig(page);
	await announced;
	await stop();
	const endedToo = page.waitForRequest(isEnd);
	goOn();
	expect((await (await endedToo).response())?.status()).toBe(204);
	await page.reload();
	await expect(page.getByText('Live', { exact: true })).toBeVisible();
	await expect(page.getByText(/again to continue/)).toHaveCount(0);
});

test('it goes on by itself when the line is back', async ({ signedIn: page, context }) => {
	const { offsets, release } = await holdAfter(page, 1);
	await chooseBig(page);
	await expect.poll(() => offsets.length).toBe(2);
	await context.setOffline(true);
	release();
	await expect(rowOf(page, 'log.txt')).toContainText('Waiting for the connection');
	await context.setOffline(false);
	await expect(takenRow(page)).toBeVisible({ timeout: 30_000 });
	expect(offsets.filter((offset) => offset === 0)).toHaveLength(1);
});

test('after a reload the page asks for the file, and sends only the rest', async ({ signedIn: page }) => {
	const first = await holdAfter(page, 1);
	await chooseBig(page);
	await expect.poll(() => first.offsets.length).toBe(2);
	page.on('dialog', (dialog) => void dialog.accept());
	await page.reload();
	const note = page.getByRole('list', { name: 'Unfinished' });
	await expect(note).toContainText('Choose log.txt again to continue');
	await expectAccessible(page);

	const second = await holdAfter(page, 99);
	let refusals = 0;
	// A server in trouble, asked how much has arrived, is no reason to send it again.
	await page.route('**/api/uploads/*', (route) => {
		const isRefused = route.request().method() === 'HEAD' && refusals++ === 0;
		return isRefused ? route.fulfill({ status: 503 }) : route.fallback();
	});
	const chooser = page.waitForEvent('filechooser');
	await note.getByRole('button', { name: 'Choose log.txt' }).click();
	await (await chooser).setFiles(big());
	await expect(takenRow(page)).toBeVisible({ timeout: 30_000 });
	expect(refusals).toBeGreaterThan(1);
	expect(second.offsets[0]).toBeGreaterThanOrEqual(16 * mib);
	await expect(note).toHaveCount(0);
});

test('given to a second tab, the file is sent by one of them', async ({ signedIn: page, context }) => {
	const { offsets, release } = await holdAfter(page, 1);
	await chooseBig(page);
	await expect.poll(() => offsets.length).toBe(2);
	const second = await context.newPage();
	await second.goto('/');
	await expect(second.getByText('Live', { exact: true })).toBeVisible();
	await chooseBig(second);
	await expect(rowOf(second, 'log.txt')).toContainText('Another tab is sending this file');
	release();
	for (const tab of [page, second]) await expect(takenRow(tab)).toBeVisible({ timeout: 30_000 });
	expect(offsets).toEqual([0, 16 * mib]);
	for (const tab of [page, second]) await expect(rowOf(tab, 'log.txt')).toHaveCount(1);
});

test('it goes on when the server was killed and started again', async ({ page, context }) => {
	const first = await startServer({ LOG_LEVEL: 'error' });
	const complaints = complaintsOf(page);
	await signIn(context, first, 'ada@localhost');
	await page.goto(first.url);
	await expect(page.getByText('Live', { exact: true })).toBeVisible();
	const { offsets, release } = await holdAfter(page, 1);
	await chooseBig(page);
	await expect.poll(() => offsets.length).toBe(2);
	await first.kill();
	release();
	await expect(rowOf(page, 'log.txt')).toContainText('Waiting for the connection');
	const second = await startServer({
		LOG_LEVEL: 'error',
		DATA_DIR: first.dataDir,
		PORT: new URL(first.url).port
	});
	await expect(takenRow(page)).toBeVisible({ timeout: 40_000 });
	expect(offsets.filter((offset) => offset === 0)).toHaveLength(1);
	expect(complaints).toEqual([]);
	await second.dispose();
});

test('what is there already is not sent, unless a second entry is wanted', async ({ signedIn: page }) => {
	const note = (name: string) => ({
		name,
		mimeType: 'text/plain',
		buffer: makeText('The tide table of May.')
	});
	await choose(page, note('tides.txt'));
	await expectSearchable(page, 'tides.txt');
	let sent = 0;
	page.on('request', (request) => void (request.url().endsWith('/upload') && sent++));
	await choose(page, note('tides-again.txt'));
	await expect(rowOf(page, 'tides-again.txt')).toContainText('You already have this: tides.txt');
	await expectAccessible(page);
	expect(sent).toBe(0);
	await page.getByRole('button', { name: 'Skip tides-again.txt' }).click();
	await expect(rowOf(page, 'tides-again.txt')).toHaveCount(0);

	await choose(page, note('a.txt'), note('b.txt'));
	await expect(page.getByRole('list', { name: 'Unfinished' })).toContainText(
		'You already have 2 of these files.'
	);
	await page.getByRole('button', { name: 'Keep both a.txt' }).click();
	await page.getByRole('button', { name: 'Skip b.txt' }).click();
	await expectSearchable(page, 'a.txt');
	expect(sent).toBe(1);
});

test('a whole folder keeps its tree, chosen or dropped, without what systems leave in it', async ({
	signedIn: page
}) => {
	const trips = path.join(folder, 'Trips');
	await mkdir(path.join(trips, '2026'), { recursive: true });
	await writeFile(path.join(trips, '2026', 'ferry.txt'), makeText('The ferry leaves at nine.'));
	await writeFile(path.join(trips, '2026', '.DS_Store'), 'x');
	const chooser = page.waitForEvent('filechooser');
	await page.getByRole('button', { name: 'Choose a folder' }).click();
	await (await chooser).setFiles(trips);
	await expect(rowOf(page, 'ferry.txt')).toContainText('Trips/2026');
	await expectSearchable(page, 'ferry.txt');
	await expect(page.getByRole('listitem')).toHaveCount(1);
	await page.reload();
	await expect(rowOf(page, 'ferry.txt')).toContainText('Trips/2026');

	await page.evaluate(dropFolder);
	await expectSearchable(page, 'first.txt');
	await expect(rowOf(page, 'first.txt')).toContainText('Log books/May');
	await page.getByLabel('Filter by name or folder').fill('trips/2026/f');
	await expect(page.getByRole('listitem')).toHaveText([/ferry.txt/]);
	const html = await (await page.request.get('/?name=trips%2F2026%2Ff')).text();
	expect([html.includes('ferry.txt'), html.includes('first.txt')]).toEqual([true, false]);
});

/** A browser makes entries of a real drop only, so these are doubles of a folder's. */
function dropFolder() {
	const file = new File(['The log of the first of May.'], 'first.txt', { type: 'text/plain' });
	const leaf = {
		isFile: true,
		isDirectory: false,
		name: 'first.txt',
		file: (take: (one: File) => void) => take(file)
	};
	const folderOf = (name: string, inside: unknown[]) => ({
		isFile: false,
		isDirectory: true,
		name,
		createReader: () => ({ readEntries: (take: (some: unknown[]) => void) => take(inside.splice(0)) })
	});
	const tree = folderOf('Log books', [folderOf('May', [leaf])]);
	const event = new Event('drop', { cancelable: true });
	Object.assign(event, {
		dataTransfer: { types: ['Files'], items: [{ webkitGetAsEntry: () => tree }], files: [] }
	});
	window.dispatchEvent(event);
}

test('files are pasted', async ({ signedIn: page }) => {
	await page.evaluate(() => {
		const clipboardData = new DataTransfer();
		clipboardData.items.add(
			new File(['Pasted from the harbour office.'], 'pasted.txt', { type: 'text/plain' })
		);
		window.dispatchEvent(new ClipboardEvent('paste', { clipboardData, cancelable: true }));
	});
	await expectSearchable(page, 'pasted.txt');
});

test.describe('on a phone', () => {
	test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

	test('an upload is paused from its menu, and the camera is offered', async ({ signedIn: page }) => {
		const chooser = page.waitForEvent('filechooser');
		await page.getByRole('button', { name: 'Take a photo' }).tap();
		expect(await (await chooser).element().getAttribute('capture')).toBe('environment');
		await holdAfter(page, 0);
		await chooseBig(page);
		await expect(rowOf(page, 'log.txt')).toContainText(/Sending/);
		await page.getByRole('button', { name: 'Actions for log.txt' }).tap();
		await page.getByRole('menuitem', { name: 'Pause' }).tap();
		await expect(rowOf(page, 'log.txt')).toContainText('Paused');
		expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
	});
});
