// The stream as a client sees it, over HTTP, on a real database: once through the raw response, once through Kit's kind.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { deleteFile, insertFile, insertFiles, touchFile } from '../../../../tests/support/file-rows.ts';
import { type LiveServer, type Person, startLive } from '../../../../tests/support/live.ts';
import type { SseClient, SseOptions } from '../../../../tests/support/sse.ts';

let platform: TestPlatform;
beforeAll(async () => {
	platform = await openTestPlatform();
});
afterAll(() => platform.close());

describe.each(['/api/files/events', '/web'])('the stream at %s', (path) => {
	let live: LiveServer;
	let ada: Person;
	const open: SseClient[] = [];

	beforeEach(async () => {
		live = await startLive(platform);
		ada = await live.signIn(`${crypto.randomUUID()}@localhost`);
	});
	afterEach(async () => {
		for (const client of open.splice(0)) client.close();
		await live.close();
	});

	async function connect(query = '', person = ada, options: SseOptions = {}): Promise<SseClient> {
		const client = await live.open(person, path + query, options);
		open.push(client);
		return client;
	}

	it('says connected first, then everything, then each change and each deletion', async () => {
		const old = await insertFile(platform.db, ada.userId, 'old');
		const client = await connect();
		const connected = await client.next('connected', 1000);
		expect(connected.data).toMatchObject({ eventType: 'connected', heartbeatSeconds: 30, cursor: null });
		expect(connected.data.connectionId).toEqual(expect.any(String));
		expect(new Date(String(connected.data.timestamp)).toISOString()).toBe(connected.data.timestamp);
		expect(client.frames[0]).toBe(connected);
		expect((await client.next('snapshot')).data).toMatchObject({ files: [{ id: old }], last: true });

		await touchFile(platform.db, old, 5);
		expect((await client.next('file-update')).data).toMatchObject({ file: { id: old, progress: 5, rev: 2 } });
		const added = await insertFile(platform.db, ada.userId, 'new');
		expect((await client.next('file-update')).data).toMatchObject({ file: { id: added, filename: 'new' } });
		await deleteFile(platform.db, old);
		expect((await client.next('file-deleted')).data).toMatchObject({ file: { id: old, rev: 3 } });
	});

	it('continues from a cursor: what changed and what was deleted meanwhile, and nothing else', async () => {
		const [changed, deleted] = await insertFiles(platform.db, ada.userId, 3);
		const first = await connect();
		await first.next('snapshot');
		first.close();
		await touchFile(platform.db, changed ?? '', 7);
		await deleteFile(platform.db, deleted ?? '');

		const second = await connect(`?cursor=${first.lastEventId}`);
		await second.next('file-deleted');
		await eventually(() => expect(second.named('file-update')).toHaveLength(1));
		expect(second.frames[0]?.data).toMatchObject({ eventType: 'connected', cursor: first.lastEventId });
		expect(second.named('snapshot')).toEqual([]);
		expect(second.frames.at(-1)?.id).toBeDefined();
	});

	it('answers a cursor that cannot be continued with reset and a snapshot, in the stream', async () => {
		await insertFile(platform.db, ada.userId);
		const client = await connect('?cursor=elsewhere.12');
		expect((await client.next('reset')).data).toMatchObject({ reason: 'other_epoch' });
		expect((await client.next('snapshot')).data).toMatchObject({ last: true });
	});

	it('sends a large snapshot in frames of at most 500 and marks the last one', async () => {
		await insertFiles(platform.db, ada.userId, 1250);
		const client = await connect();
		await eventually(() => expect(client.frames.at(-1)?.data.last).toBe(true));
		const frames = client
			.named('snapshot')
			.map(({ data }) => data as { files: { id: string }[]; last: boolean });
		expect(new Set(frames.flatMap(({ files }) => files.map(({ id }) => id))).size).toBe(1250);
		expect(Math.max(...frames.map(({ files }) => files.length))).toBeLessThanOrEqual(500);
		expect(frames.filter(({ last }) => last)).toHaveLength(1);
	});

	it('never shows one person the files of another', async () => {
		const eve = await live.signIn(`${crypto.randomUUID()}@localhost`);
		const hers = await connect('', eve);
		await hers.next('snapshot');
		const client = await connect();
		await client.next('snapshot');
		const ids = await insertFiles(platform.db, ada.userId, 20);
		for (const id of ids) await touchFile(platform.db, id);
		for (const id of ids.slice(10)) await deleteFile(platform.db, id);
		await eventually(() => expect(client.named('file-deleted')).toHaveLength(10));
		expect(hers.frames.map(({ event }) => event)).toEqual(['connected', 'snapshot']);
	});

	it('refuses a ninth stream of one person until one of the eight is closed', async () => {
		const clients: SseClient[] = [];
		for (let n = 0; n < 8; n += 1) clients.push(await connect());
		const ninth = await connect();
		expect(ninth.status).toBe(429);
		expect(Number(ninth.headers['retry-after'])).toBeGreaterThan(0);
		await eventually(() => expect(JSON.parse(ninth.text)).toMatchObject({ code: 'stream.too_many' }));
		clients[3]?.close();
		await eventually(async () => expect((await connect()).status).toBe(200));
	});

	it('lets a browser that comes back take the place of its own half-dead connection', async () => {
		const clients: SseClient[] = [];
		for (let n = 0; n < 8; n += 1) clients.push(await connect(`?client=tab-${n}`));
		const again = await connect('?client=tab-3');
		expect(again.status).toBe(200);
		expect((await clients[3]?.next('bye'))?.data).toMatchObject({ reason: 'replaced' });
		await eventually(() => expect(clients[3]?.isEnded).toBe(true));
	});

	it('says goodbye to the streams of a session that ends, and to no other', async () => {
		const otherSession = { ...(await live.signIn((await emailOf(ada)) ?? '')) };
		const client = await connect();
		const other = await connect('', otherSession);
		await client.next('connected');
		await live.auth.signOut(ada.token);
		expect((await client.next('bye', 5000)).data).toMatchObject({ reason: 'signed_out' });
		await eventually(() => expect(client.isEnded).toBe(true));
		expect(other.named('bye')).toEqual([]);
		expect(other.isEnded).toBe(false);
	});

	it('finds out within five seconds when another process ended the session', async () => {
		const client = await connect();
		await client.next('snapshot');
		const endedAt = performance.now();
		await platform.db.query('delete from asura.sessions where id = $1', [ada.sessionId]);
		const bye = await client.next('bye', 6000);
		expect(bye.at - endedAt).toBeLessThan(5000);
	});

	it('says goodbye when the server stops, with a spread time to come back', async () => {
		const client = await connect();
		await client.next('snapshot');
		await live.events.stop('shutdown');
		const bye = await client.next('bye');
		expect(bye.data).toMatchObject({ reason: 'shutdown' });
		expect(bye.retry).toBeGreaterThanOrEqual(1000);
		expect(bye.retry).toBeLessThan(5000);
		await eventually(() => expect(client.isEnded).toBe(true));
		expect((await connect()).status).toBe(503);
	});

	it('leaves nothing behind when clients leave', async () => {
		const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
		const before = timers();
		const clients = await Promise.all([connect(), connect(), connect()]);
		for (const client of clients) await client.next('snapshot');
		const id = await insertFile(platform.db, ada.userId);
		for (let n = 0; n < 5; n += 1) await touchFile(platform.db, id, n);
		expect((await live.metrics.streams.get()).values[0]?.value).toBe(3);
		for (const client of clients) client.close();
		await eventually(async () => expect((await live.metrics.streams.get()).values[0]?.value).toBe(0));
		await eventually(() => expect(timers()).toBeLessThanOrEqual(before));
	});

	async function emailOf(person: Person): Promise<string | undefined> {
		return (await live.auth.find(person.token))?.email;
	}
});

describe('the raw stream', () => {
	let live: LiveServer;
	beforeAll(async () => {
		live = await startLive(platform);
	});
	afterAll(() => live.close());

	it('has the headers of the contract', async () => {
		const ada = await live.signIn('headers@localhost');
		const client = await live.connect(ada);
		expect(client.status).toBe(200);
		expect(client.headers).toMatchObject({
			'content-type': 'text/event-stream',
			'cache-control': 'no-cache, no-transform',
			connection: 'keep-alive',
			'x-accel-buffering': 'no'
		});
		client.close();
	});

	it('refuses strangers, wrong hosts and ended sessions like every other route', async () => {
		const url = `${live.origin}/api/files/events`;
		const answer = await fetch(url);
		expect(answer.status).toBe(401);
		expect(await answer.json()).toMatchObject({ code: 'auth.required', requestId: expect.any(String) });
		const ada = await live.signIn('refused@localhost');
		const foreign = await live.connect(ada, '', { headers: { host: 'evil.example' } });
		expect(foreign.status).toBe(421);
		await live.auth.signOut(ada.token);
		expect((await live.connect(ada)).status).toBe(401);
	});

	it('prefers Last-Event-ID to the cursor in the address', async () => {
		const ada = await live.signIn('last-event-id@localhost');
		const first = await live.connect(ada);
		await first.next('snapshot');
		first.close();
		const second = await live.connect(ada, '?cursor=old.1', {
			headers: { 'last-event-id': first.lastEventId ?? '' }
		});
		expect((await second.next('connected')).data).toMatchObject({ cursor: first.lastEventId });
		second.close();
	});
});
