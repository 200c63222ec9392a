import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { insertFile } from '../../../../tests/support/file-rows.ts';
import { type LiveServer, type Person, startLive } from '../../../../tests/support/live.ts';
import type { SseClient } from '../../../../tests/support/sse.ts';

describe('named events', () => {
	let platform: TestPlatform;
	let live: LiveServer;
	let ada: Person;
	let eve: Person;
	const open: SseClient[] = [];

	beforeAll(async () => {
		platform = await openTestPlatform();
		live = await startLive(platform);
	});
	beforeEach(async () => {
		ada = await live.signIn(`${crypto.randomUUID()}@localhost`);
		eve = await live.signIn(`${crypto.randomUUID()}@localhost`);
	});
	afterEach(() => open.splice(0).forEach((client) => client.close()));
	afterAll(async () => {
		await live.close();
		await platform.close();
	});

	async function connect(person: Person, query = '', server = live): Promise<SseClient> {
		const client = await server.connect(person, query);
		open.push(client);
		await client.next('connected');
		return client;
	}

	it('reach everybody, one user, one session or one connection, and nobody else', async () => {
		const adaAgain = await live.signIn((await live.auth.find(ada.token))?.email ?? '');
		const clients = [await connect(ada), await connect(ada), await connect(adaAgain), await connect(eve)];
		const connection = String(clients[1]?.frames[0]?.data.connectionId);
		await live.events.send({ to: { user: ada.userId }, event: 'for-user' });
		await live.events.send({ to: { session: ada.sessionId }, event: 'for-session' });
		await live.events.send({ to: { connection }, event: 'for-connection' });
		await live.events.send({ to: 'everybody', event: 'system-alert', data: { title: 'Back soon' } });
		await Promise.all(clients.map((client) => client.next('system-alert')));
		const heard = clients.map(({ frames }) =>
			frames.map(({ event }) => event).filter((name) => name.startsWith('for-'))
		);
		expect(heard).toEqual([
			['for-user', 'for-session'],
			['for-user', 'for-session', 'for-connection'],
			['for-user'],
			[]
		]);
	});

	it('carry their name, a time, an id and the data', async () => {
		const client = await connect(ada);
		const { id } = await live.events.send({
			to: { user: ada.userId },
			event: 'export-ready',
			data: { pages: 3 }
		});
		const { data } = await client.next('export-ready');
		expect(data).toEqual({
			eventType: 'export-ready',
			timestamp: expect.any(String),
			id,
			data: { pages: 3 }
		});
	});

	it('reach people who are connected to another process', async () => {
		const other = await startLive(platform);
		const client = await connect(ada, '', other);
		await live.events.send({ to: { user: ada.userId }, event: 'from-afar' });
		await client.next('from-afar');
		await other.close();
	});

	it('come only as far as they were asked for', async () => {
		const chosen = await connect(ada, '?events=system-alert,heartbeat');
		const all = await connect(ada);
		await insertFile(platform.db, ada.userId);
		await all.next('file-update');
		await live.events.send({ to: 'everybody', event: 'gossip' });
		await live.events.send({ to: 'everybody', event: 'system-alert' });
		await all.next('system-alert');
		await chosen.next('system-alert');
		expect(chosen.frames.map(({ event }) => event)).toEqual(['connected', 'system-alert']);
	});

	it('of the kind notification wait for a person who is away, until a browser has shown them', async () => {
		const to = { user: ada.userId };
		const first = await live.events.send({ to, event: 'notification', data: { title: 'one' } });
		await live.events.send({ to, event: 'notification', data: { title: 'two' } });
		await live.events.send({ to, event: 'gossip' });
		const client = await connect(ada);
		await eventually(() => expect(client.named('notification')).toHaveLength(2));
		expect(client.named('notification').map(({ data }) => data.data)).toEqual([
			{ title: 'one' },
			{ title: 'two' }
		]);
		expect(client.named('gossip')).toEqual([]);

		await live.events.seen(eve.userId, [first.id]);
		await live.events.seen(ada.userId, [first.id]);
		const later = await connect(ada);
		await later.next('notification');
		expect(later.named('notification').map(({ data }) => data.data)).toEqual([{ title: 'two' }]);
	});

	it('keep no more than a hundred for one person, the newest', async () => {
		for (let n = 0; n < 103; n += 1)
			await live.events.send({ to: { user: ada.userId }, event: 'notification', data: { n } });
		const client = await connect(ada);
		await eventually(() => expect(client.named('notification')).toHaveLength(100));
		expect(client.named('notification')[0]?.data.data).toEqual({ n: 3 });
	});

	it.each([
		['a name of the stream itself', { to: 'everybody', event: 'file-update' }],
		['a name that would break the stream', { to: 'everybody', event: 'a\ndata: x' }],
		['too much data', { to: 'everybody', event: 'big', data: { text: 'x'.repeat(4100) } }],
		['nobody in particular', { to: {}, event: 'x' }]
	])('refuse %s', async (_, event) => {
		await expect(live.events.send(event as never)).rejects.toThrow();
	});
});
