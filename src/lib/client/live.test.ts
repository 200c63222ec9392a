import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { digestOf, type FilesState, type NamedEvent, noFiles } from '#lib/shared/events.ts';
import { aFile } from '../../../tests/support/a-file.ts';
import { FakeBrowser, FakeTab } from '../../../tests/support/outside.ts';
import { connectionName, Live } from './live.ts';
import type { Connection } from './stream.ts';
import { countTabs } from './tabs.ts';

const connected = {
	eventType: 'connected',
	connectionId: 'one',
	heartbeatSeconds: 30,
	cursor: null
} as const;
const resumed = { ...connected, cursor: 'e.5' } as const;
const one = aFile({ rev: 1 });
const two = aFile({ id: 'b0000000-0000-4000-8000-000000000002', rev: 1 });
const snapshot = { eventType: 'snapshot' as const, files: [one, two], last: true };

describe('the files of all tabs', () => {
	let browser: FakeBrowser;
	let tabs: TestTab[];

	beforeEach(() => {
		vi.useFakeTimers();
		browser = new FakeBrowser();
		tabs = [];
	});
	afterEach(() => {
		for (const tab of tabs) tab.live.close();
		expect(vi.getTimerCount()).toBe(0);
		vi.useRealTimers();
	});

	it('have one connection for eight tabs, and all show the same', async () => {
		const [leader, ...others] = await openTabs(8);
		leader?.outside.source.say(connected);
		leader?.outside.source.say(snapshot, 'e.1');
		leader?.outside.source.say({ eventType: 'file-update', file: { ...one, rev: 2 } }, 'e.2');
		await settle();
		expect(tabs.flatMap(({ outside }) => outside.sources)).toHaveLength(1);
		for (const tab of others) expect(tab.digest()).toBe(leader?.digest());
		for (const tab of others) expect(tab.connection?.state).toBe('live');
	});

	it('can be counted by the tabs that share the connection, whoever leads', async () => {
		const [leader, next] = await openTabs(3);
		await openTabs(1, { scope: 'grace' });
		const count = () => countTabs(browser.locks, connectionName('ada'));
		expect(await count()).toBe(3);
		leader?.live.close();
		await settle();
		expect(await count()).toBe(2);
		next?.live.close();
		await settle();
		expect(await count()).toBe(1);
	});

	it('are told to a tab that joins later', async () => {
		const [leader] = await openTabs(1);
		leader?.outside.source.say(connected);
		leader?.outside.source.say(snapshot, 'e.1');
		const [late] = await openTabs(1);
		expect(late?.files.isLoaded).toBe(true);
		expect(late?.digest()).toBe(digestOf([one, two]));
		expect(late?.connection?.state).toBe('live');
	});

	it('go on without a gap when the leading tab is closed: the next one continues from the cursor', async () => {
		const [leader, next, other] = await openTabs(3);
		leader?.outside.source.say(connected);
		leader?.outside.source.say(snapshot, 'e.5');
		await settle();
		leader?.live.close();
		await settle();
		expect(leader?.outside.source.isClosed).toBe(true);
		expect(next?.outside.sources).toHaveLength(1);
		expect(next?.outside.source.cursor).toBe('e.5');
		next?.outside.source.say(resumed);
		next?.outside.source.say({ eventType: 'file-deleted', file: { id: two.id, rev: 2 } }, 'e.6');
		await settle();
		expect(other?.digest()).toBe(digestOf([one]));
		expect(other?.connection?.state).toBe('live');
	});

	it('are fetched anew by a new leader when the old one went in the middle of a snapshot', async () => {
		const [leader, next] = await openTabs(2);
		leader?.outside.source.say(connected);
		leader?.outside.source.say({ ...snapshot, files: [one], last: false });
		await settle();
		leader?.live.close();
		await settle();
		expect(next?.outside.source.cursor).toBeNull();
	});

	it('are handed over when the page is hidden for good, and joined again when it comes back', async () => {
		const [leader, next] = await openTabs(2);
		leader?.outside.source.say(connected);
		leader?.outside.page.dispatchEvent(new Event('pagehide'));
		await settle();
		expect(next?.outside.sources).toHaveLength(1);
		expect(next?.connection?.state).toBe('connecting');
		next?.outside.source.say(connected);
		next?.outside.source.say(snapshot, 'e.5');
		leader?.outside.page.dispatchEvent(new Event('pageshow'));
		await settle();
		expect(leader?.digest()).toBe(digestOf([one, two]));
		expect(leader?.outside.sources).toHaveLength(1);
	});

	it('are taken over from a leader that hangs', async () => {
		const [leader, next] = await openTabs(2);
		leader?.outside.source.say(connected);
		leader?.outside.source.say(snapshot, 'e.5');
		await settle();
		// A tab that hangs runs no timers of its own; here its voice is cut instead.
		leader?.mute();
		await vi.advanceTimersByTimeAsync(120_000);
		expect(next?.outside.source.cursor).toBe('e.5');
		leader?.unmute();
		await settle();
		expect(leader?.outside.sources.every((source) => source.isClosed)).toBe(true);
		expect(leader?.live.stream).toBeUndefined();
		expect(next?.live.stream).toBeDefined();
	});

	it('stay with a leader that lives but has nothing to tell', async () => {
		const [leader, next] = await openTabs(2);
		leader?.outside.source.fail();
		leader?.outside.request.answer(200, { changes: [], cursor: 'e.1' });
		await vi.advanceTimersByTimeAsync(600_000);
		expect(next?.outside.sources).toHaveLength(0);
	});

	it('have a connection in each tab where the browser has no locks', async () => {
		await openTabs(3, { hasLocks: false });
		expect(tabs.map(({ outside }) => outside.sources.length)).toEqual([1, 1, 1]);
	});

	it('keep tabs of different people apart', async () => {
		const [ada] = await openTabs(1);
		const [eve] = await openTabs(1, { scope: 'eve' });
		ada?.outside.source.say(connected);
		ada?.outside.source.say(snapshot, 'e.1');
		await settle();
		expect(eve?.outside.sources).toHaveLength(1);
		expect(eve?.files.byId.size).toBe(0);
	});

	it('come with named events, each shown once in every tab and confirmed to the server', async () => {
		const [leader, follower] = await openTabs(2);
		const notification = {
			eventType: 'notification',
			id: crypto.randomUUID(),
			timestamp: '',
			data: { title: 'Hi' },
			kept: true
		};
		leader?.outside.source.say(connected);
		for (let n = 0; n < 3; n += 1)
			leader?.outside.source.sayRaw('notification', JSON.stringify(notification));
		await settle();
		expect(leader?.events).toEqual([notification]);
		expect(follower?.events).toEqual([notification]);
		expect(leader?.outside.request.url.pathname).toBe('/api/events/seen');
		expect(leader?.outside.request.body).toBe(JSON.stringify({ ids: [notification.id] }));
		expect(follower?.outside.requests).toEqual([]);
	});

	describe('prove that they are in sync', () => {
		const heartbeat = (files = [one, two]) =>
			({ eventType: 'heartbeat', cursor: 'e.9', active: 0, digest: digestOf(files) }) as const;

		it('and do nothing when the digest agrees', async () => {
			const [leader] = await loaded(1);
			leader?.outside.source.say(heartbeat());
			expect(leader?.outside.sources).toHaveLength(1);
		});

		it('or fetch everything once, whatever is wrong', async () => {
			const [leader, follower] = await loaded(2);
			leader?.outside.source.say(heartbeat([{ ...one, rev: 7 }, two]));
			expect(leader?.outside.sources).toHaveLength(2);
			expect(leader?.outside.source.cursor).toBeNull();
			leader?.outside.source.say(connected);
			leader?.outside.source.say({ ...snapshot, files: [{ ...one, rev: 7 }, two] }, 'e.9');
			leader?.outside.source.say(heartbeat([{ ...one, rev: 7 }, two]));
			await settle();
			expect(leader?.outside.sources).toHaveLength(2);
			expect(follower?.digest()).toBe(digestOf([{ ...one, rev: 7 }, two]));
			expect(follower?.outside.sources).toHaveLength(0);
		});

		it('or ask the leader, in a tab that follows', async () => {
			const [leader, follower] = await loaded(2);
			const corrupted = { ...one, rev: 99 };
			follower?.live.apply({ eventType: 'file-update', timestamp: '', file: corrupted });
			// The first heartbeat after an answer of the API proves nothing yet.
			leader?.outside.source.say(heartbeat());
			await settle();
			expect(follower?.digest()).toBe(digestOf([corrupted, two]));
			leader?.outside.source.say(heartbeat());
			await settle();
			expect(follower?.digest()).toBe(digestOf([one, two]));
			expect(leader?.outside.sources).toHaveLength(1);
		});
	});

	async function loaded(count: number): Promise<TestTab[]> {
		const opened = await openTabs(count);
		opened[0]?.outside.source.say(connected);
		opened[0]?.outside.source.say(snapshot, 'e.5');
		await settle();
		return opened;
	}

	async function openTabs(
		count: number,
		options: { scope?: string; hasLocks?: boolean } = {}
	): Promise<TestTab[]> {
		const opened = Array.from({ length: count }, () => new TestTab(browser, options));
		tabs.push(...opened);
		for (const { live } of opened) {
			live.start();
			await settle();
		}
		return opened;
	}

	function settle() {
		return vi.advanceTimersByTimeAsync(0);
	}
});

class TestTab {
	readonly outside: FakeTab;
	readonly live: Live;
	#isMuted = false;
	files: FilesState = noFiles;
	connection: Connection | undefined;
	readonly events: NamedEvent[] = [];

	constructor(
		browser: FakeBrowser,
		{ scope = 'ada', hasLocks = true }: { scope?: string; hasLocks?: boolean }
	) {
		this.outside = new FakeTab(browser, { hasLocks });
		const open = this.outside.openChannel.bind(this.outside);
		this.outside.openChannel = (name) => {
			const channel = open(name);
			const post = channel.postMessage.bind(channel);
			channel.postMessage = (message) => {
				if (!this.#isMuted) post(message);
			};
			return channel;
		};
		this.live = new Live({
			scope,
			outside: this.outside,
			onEvent: (event) => this.events.push(event),
			onFiles: (files) => (this.files = files),
			onConnection: (connection) => (this.connection = connection)
		});
	}

	mute(): void {
		this.#isMuted = true;
	}

	unmute(): void {
		this.#isMuted = false;
	}

	digest(): string {
		return digestOf(this.files.byId.values());
	}
}
