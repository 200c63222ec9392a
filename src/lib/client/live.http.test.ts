// The browser's side against a real server, with what can stand between them.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, type FilesState, noFiles } from '#lib/shared/events.ts';
import { openTestPlatform, type TestPlatform } from '../../../tests/support/database.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { deleteFile, insertFile, insertFiles, touchFile } from '../../../tests/support/file-rows.ts';
import { type LiveServer, type Person, startLive } from '../../../tests/support/live.ts';
import { nodeOutside } from '../../../tests/support/node-outside.ts';
import { type Proxy, startProxy } from '../../../tests/support/proxy.ts';
import { Live } from './live.ts';
import type { ConnectionState } from './stream.ts';

describe('a browser that follows its files', () => {
	let platform: TestPlatform;
	let server: LiveServer;
	let proxy: Proxy;
	let ada: Person;
	let ids: string[];
	let live: Live;
	let files: FilesState;
	let states: ConnectionState[];

	beforeAll(async () => {
		platform = await openTestPlatform();
	});
	afterAll(() => platform.close());
	beforeEach(async () => {
		server = await startLive(platform, { HEARTBEAT_SECONDS: '1' });
		proxy = await startProxy(server.origin);
		ada = await server.signIn(`${crypto.randomUUID()}@localhost`);
		ids = await insertFiles(platform.db, ada.userId, 5);
		files = noFiles;
		states = [];
	});
	afterEach(async () => {
		live.close();
		await proxy.close();
		await server.close();
	});

	it('continues after its connection was cut, again and again', async () => {
		await follow();
		for (let n = 0; n < 8; n += 1) {
			await touchFile(platform.db, ids[0] ?? '', n + 1);
			if (n === 3) await deleteFile(platform.db, ids[1] ?? '');
			proxy.cut();
			await insertFile(platform.db, ada.userId, `while away ${n}`);
		}
		await expectInSync();
		expect(files.byId.size).toBe(12);
		expect(
			asked('/api/files/events')
				.slice(1)
				.every((path) => path.includes('cursor='))
		).toBe(true);
	});

	it('takes a server that has become silent for dead, and comes back to it', async () => {
		await follow();
		proxy.mode = 'freeze';
		await touchFile(platform.db, ids[0] ?? '', 50);
		await eventually(() => expect(states).toContain('reconnecting'), { timeoutMs: 6000 });
		proxy.mode = 'pass';
		await expectInSync();
		expect(states.at(-1)).toBe('live');
	});

	it('finds out that one rev is wrong and fetches everything exactly once', async () => {
		await follow();
		const [wrong] = files.byId.values();
		if (!wrong) throw new Error('no file');
		// An answer of the API that never was: the first heartbeat after it is not believed, the second one is.
		live.apply({ eventType: 'file-update', timestamp: '', file: { ...wrong, rev: wrong.rev + 5 } });
		await expectInSync();
		const opened = asked('/api/files/events').length;
		expect(opened).toBe(2);
		expect(asked('/api/files/events').at(-1)).not.toContain('cursor=');
		const beatsLater = performance.now() + 2500;
		await eventually(() => expect(performance.now()).toBeGreaterThan(beatsLater));
		expect(asked('/api/files/events')).toHaveLength(opened);
	});

	it('polls behind a proxy that holds the events back, and returns to them when it no longer does', async () => {
		proxy.mode = 'buffer';
		open();
		await eventually(() => expect(states.at(-1)).toBe('polling'), { timeoutMs: 6000 });
		await insertFile(platform.db, ada.userId, 'meanwhile');
		await deleteFile(platform.db, ids[0] ?? '');
		await expectInSync();
		expect(states.at(-1)).toBe('polling');
		proxy.mode = 'pass';
		await eventually(() => expect(states.at(-1)).toBe('live'), { timeoutMs: 12_000 });
		await touchFile(platform.db, ids[1] ?? '', 3);
		await expectInSync();
	});

	it('comes back to a server that was restarted, with another epoch', async () => {
		await follow();
		await server.events.stop('shutdown');
		await deleteFile(platform.db, ids[0] ?? '');
		const next = await startLive(platform, { HEARTBEAT_SECONDS: '1' });
		proxy.target = next.origin;
		proxy.cut();
		try {
			await expectInSync();
			await touchFile(platform.db, ids[1] ?? '', 3);
			await expectInSync();
			expect(states.at(-1)).toBe('live');
		} finally {
			live.close();
			await next.close();
		}
	});

	it('says signed out when the session ends, and does not go on with the files of another person', async () => {
		await follow();
		await server.auth.signOut(ada.token);
		await eventually(() => expect(states.at(-1)).toBe('signed-out'));
		const eve = await server.signIn(`${crypto.randomUUID()}@localhost`);
		const foreign = await server.connect(eve, `?user=${ada.userId}&cursor=${await server.changes.now()}`);
		expect(foreign.status).toBe(401);
	});

	function open(): void {
		live = new Live({
			scope: ada.userId,
			outside: nodeOutside(proxy.origin, ada.cookie),
			onFiles: (next) => (files = next),
			onConnection: ({ state }) => states.push(state)
		});
		live.start();
	}

	async function follow(): Promise<void> {
		open();
		await eventually(() => expect(files.isLoaded).toBe(true));
	}

	async function expectInSync(): Promise<void> {
		const { digests } = await server.changes.readWithDigests(
			await server.changes.position(),
			new Map([[ada.userId, new Map()]])
		);
		await eventually(() => expect(digestOf(files.byId.values())).toBe(digests.get(ada.userId)?.digest), {
			timeoutMs: 8000
		});
	}

	function asked(path: string): string[] {
		return proxy.asked.filter((one) => one.startsWith(path));
	}
});
