// The live stream in real browsers, over HTTP/1.1: many tabs, a leader that goes, a server that restarts, a network
// that is cut, a proxy that holds the events back.
import { setTimeout as pause } from 'node:timers/promises';
import type { BrowserContext, Page } from '@playwright/test';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startNginx } from '../support/nginx.ts';
import { expect, rowOf, signIn, test } from './fixtures.ts';

test('eight tabs share one stream, and each shows what one of them uploads', async ({
	context,
	server,
	email
}) => {
	const before = await streams(server);
	await signIn(context, server, email);
	const tabs = await openTabs(context, server.url, 8);
	await upload(context, server, 'shared.txt');
	for (const tab of tabs) await expect(rowOf(tab, 'shared.txt')).toContainText('Searchable');
	expect(await streams(server)).toBe(before + 1);
});

test('when the leading tab is closed, another takes over within a second and nothing is lost', async ({
	context,
	server,
	email
}) => {
	await signIn(context, server, email);
	const [leader, ...others] = await openTabs(context, server.url, 4);
	const resumes = await metric(server, 'asura_stream_resumes_total');
	const closedAt = performance.now();
	// Written in the gap between the two leaders.
	await Promise.all([leader?.close(), upload(context, server, 'in-the-gap.txt')]);
	await expect
		.poll(() => metric(server, 'asura_stream_resumes_total'), { intervals: [20] })
		.toBe(resumes + 1);
	expect(performance.now() - closedAt).toBeLessThan(1000);
	for (const tab of others) await expect(rowOf(tab, 'in-the-gap.txt')).toContainText('Searchable');
	expect(await badge(others[0])).toBe('live');
});

test('a signed-out tab says so everywhere', async ({ context, server, email }) => {
	await signIn(context, server, email);
	const tabs = await openTabs(context, server.url, 3);
	await context.request.post(`${server.url}/auth/sign-out`, { headers: { origin: server.url } });
	for (const tab of tabs)
		await expect(tab.locator('[data-connection="signed-out"]')).toHaveCount(1, { timeout: 6000 });
});

test('a notification that came while nobody was there is shown once on return', async ({
	context,
	server,
	email
}) => {
	await signIn(context, server, email);
	const person = await context.newPage();
	await person.goto(server.url);
	const connection = person.waitForRequest(/\/api\/files\/events\?/);
	await person.reload();
	const user = new URL((await connection).url()).searchParams.get('user');
	await person.close();
	const answer = await context.request.post(`${server.url}/api/events`, {
		headers: { origin: server.url },
		data: { to: { user }, event: 'notification', data: { title: 'Your export is ready' } }
	});
	expect(answer.status()).toBe(202);

	const back = await context.newPage();
	const seen = back.waitForResponse(/\/api\/events\/seen/);
	await back.goto(server.url);
	await expect(back.getByText('Your export is ready')).toBeVisible();
	expect((await seen).status()).toBe(204);
	await back.reload();
	await expect(back.locator('[data-connection="live"]')).toHaveCount(1);
	await expect(back.getByText('Your export is ready')).toHaveCount(0);
});

test.describe('with a server of its own', () => {
	let own: TestServer;
	let proxy: Proxy;
	test.beforeEach(async () => {
		own = await startServer({ LOG_LEVEL: 'warn', HEARTBEAT_SECONDS: '2' });
		proxy = await startProxy(own.url);
	});
	test.afterEach(async () => {
		await proxy.close();
		await own.dispose();
	});

	test('a page survives the restart of the server and ends up in sync', async ({ context, email }) => {
		await signIn(context, own, email);
		await upload(context, own, 'before.txt');
		const [page] = await openTabs(context, own.url, 1);
		if (!page) throw new Error('no page');
		await expect(rowOf(page, 'before.txt')).toContainText('Searchable');
		const port = new URL(own.url).port;
		await own.stop();
		await expect(page.locator('[data-connection="reconnecting"]')).toHaveCount(1);
		const again = await startServer({ LOG_LEVEL: 'warn', PORT: port, DATA_DIR: own.dataDir });
		try {
			await expect(page.locator('[data-connection="live"]')).toHaveCount(1);
			await upload(context, again, 'after.txt');
			await expect(rowOf(page, 'after.txt')).toContainText('Searchable');
			await expect(rowOf(page, 'before.txt')).toHaveCount(1);
		} finally {
			await again.stop();
		}
	});

	test('a page comes back after the network was cut, with what happened meanwhile', async ({
		context,
		email
	}) => {
		await signIn(context, own, email);
		const [page] = await openTabs(context, proxy.origin, 1);
		if (!page) throw new Error('no page');
		proxy.mode = 'refuse';
		proxy.cut();
		await expect(page.locator('[data-connection="reconnecting"]')).toHaveCount(1);
		await upload(context, own, 'meanwhile.txt');
		await expect(rowOf(page, 'meanwhile.txt')).toHaveCount(0);
		proxy.mode = 'pass';
		await page.evaluate(() => window.dispatchEvent(new Event('online')));
		await expect(rowOf(page, 'meanwhile.txt')).toContainText('Searchable');
		expect(await badge(page)).toBe('live');
	});

	test('a page notices a network that swallows everything', async ({ context, email }) => {
		await signIn(context, own, email);
		const [page] = await openTabs(context, proxy.origin, 1);
		if (!page) throw new Error('no page');
		proxy.mode = 'freeze';
		await expect(page.locator('[data-connection="reconnecting"]')).toHaveCount(1, { timeout: 10_000 });
		await upload(context, own, 'meanwhile.txt');
		proxy.mode = 'pass';
		await expect(rowOf(page, 'meanwhile.txt')).toContainText('Searchable');
	});

	test('behind nginx with buffering on, a page polls, ends up in sync, and returns to events when it may', async ({
		context,
		email
	}) => {
		const nginx = await startNginx(own.url);
		test.skip(!nginx, 'nginx is not installed');
		if (!nginx) return;
		try {
			await signIn(context, own, email);
			const page = await context.newPage();
			await page.goto(nginx.origin);
			await expect(page.locator('[data-connection="polling"]')).toHaveCount(1, { timeout: 10_000 });
			await upload(context, own, 'polled.txt');
			await expect(rowOf(page, 'polled.txt')).toContainText('Searchable');
			await nginx.setBuffering(false);
			await expect(page.locator('[data-connection="live"]')).toHaveCount(1, { timeout: 30_000 });
			await upload(context, own, 'streamed.txt');
			await expect(rowOf(page, 'streamed.txt')).toContainText('Searchable');
		} finally {
			await nginx.close();
		}
	});
});

async function openTabs(context: BrowserContext, url: string, count: number): Promise<Page[]> {
	const tabs: Page[] = [];
	for (let n = 0; n < count; n += 1) {
		const tab = await context.newPage();
		await tab.goto(url);
		await expect(tab.locator('[data-connection="live"]')).toHaveCount(1);
		tabs.push(tab);
	}
	return tabs;
}

async function upload(context: BrowserContext, server: Pick<TestServer, 'url'>, name: string): Promise<void> {
	const buffer = Buffer.from(`The text of ${name}, about lanterns and harbours.`);
	const answer = await context.request.post(`${server.url}/api/files/upload`, {
		headers: { origin: server.url },
		multipart: { file: { name, mimeType: 'text/plain', buffer } }
	});
	expect(answer.status()).toBe(201);
}

function badge(page: Page | undefined): Promise<string | null> {
	return page?.locator('[data-connection]').getAttribute('data-connection') ?? Promise.resolve(null);
}

/** Streams of tests before may be on their way out: the number counts once it stays. */
async function streams(server: TestServer): Promise<number> {
	for (;;) {
		const first = await metric(server, 'asura_streams');
		await pause(300);
		if (first === (await metric(server, 'asura_streams'))) return first;
	}
}

async function metric(server: TestServer, name: string): Promise<number> {
	const text = await (await fetch(`${server.url}/metrics`)).text();
	return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}
