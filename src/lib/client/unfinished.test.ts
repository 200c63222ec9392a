import { describe, expect, it } from 'vitest';
import { UnfinishedUploads } from './unfinished.svelte.ts';

const film = {
	name: 'film.pdf',
	size: 900,
	modified: 5,
	folder: '',
	url: '/api/uploads/1-2',
	sentBytes: 412
};

/** What a browser keeps, and the tabs that come and go over it. */
function aBrowser() {
	const kept = new Map<string, string>();
	const held = new Set<string>();
	let now = 1_000_000;
	const storage = {
		getItem: (key: string) => kept.get(key) ?? null,
		setItem: (key: string, value: string) => void kept.set(key, value)
	};
	const locks = {
		request: async (name: string, _: LockOptions, work: () => Promise<void>) => {
			held.add(name);
			await work();
			held.delete(name);
		},
		query: async () => ({ held: [...held].map((name) => ({ name })) })
	} as unknown as Pick<LockManager, 'request' | 'query'>;
	return {
		kept,
		wait: (ms: number) => void (now += ms),
		openTab: (scope = 'ada') => new UnfinishedUploads({ scope, storage, locks, now: () => now })
	};
}

describe('an unfinished upload', () => {
	it('is asked for after a reload, found again by its file, and gone when it is done', async () => {
		const browser = aBrowser();
		browser.openTab().put(film);
		const tab = browser.openTab();
		await tab.look();
		expect(tab.waiting.map(({ name, sentBytes }) => [name, sentBytes])).toEqual([['film.pdf', 412]]);
		expect(tab.find(film)?.url).toBe(film.url);
		expect(tab.find({ ...film, modified: 6 })).toBeUndefined();
		tab.put({ ...film, sentBytes: 500 });
		expect(tab.waiting).toEqual([]);
		tab.remove(film.url);
		expect(browser.openTab().find(film)).toBeUndefined();
	});

	it('that another tab is sending is not asked for', async () => {
		const browser = aBrowser();
		const sender = browser.openTab();
		const { promise, resolve } = Promise.withResolvers<void>();
		sender.put(film);
		const sending = sender.whileSending(film.url, promise);
		const tab = browser.openTab();
		await tab.look();
		expect(tab.waiting).toEqual([]);
		expect(await tab.isSentElsewhere(film.url)).toBe(true);
		expect(await sender.isSentElsewhere(film.url)).toBe(false);
		resolve();
		await sending;
		expect(await tab.isSentElsewhere(film.url)).toBe(false);
		await tab.look();
		expect(tab.waiting).toHaveLength(1);
	});

	it('is its person’s own, and forgotten after a day', async () => {
		const browser = aBrowser();
		browser.openTab().put(film);
		expect(browser.openTab('bob').find(film)).toBeUndefined();
		browser.wait(86_400_000);
		expect(browser.openTab().find(film)).toBeUndefined();
	});

	it('is nothing when the storage holds something else', () => {
		const browser = aBrowser();
		browser.kept.set('asura.unfinished.ada', '[{"url":"https://elsewhere.example/"}]');
		expect(browser.openTab().find(film)).toBeUndefined();
	});
});
