import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { ChangesAnswer } from '#lib/shared/events.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { deleteFile, insertFile, insertFiles, touchFile } from '../../../../tests/support/file-rows.ts';
import { type LiveServer, type Person, startLive } from '../../../../tests/support/live.ts';

describe('polling', () => {
	let platform: TestPlatform;
	let live: LiveServer;
	let ada: Person;

	beforeAll(async () => {
		platform = await openTestPlatform();
		live = await startLive(platform);
	});
	beforeEach(async () => {
		ada = await live.signIn(`${crypto.randomUUID()}@localhost`);
	});
	afterAll(async () => {
		await live.close();
		await platform.close();
	});

	it('gives everything without a cursor, and what changed with one', async () => {
		const [changed, deleted] = await insertFiles(platform.db, ada.userId, 620);
		const all = await ask('');
		expect(all.changes.map((message) => message.eventType)).toEqual(['snapshot', 'snapshot']);
		expect(
			all.changes.flatMap((message) => (message.eventType === 'snapshot' ? message.files : []))
		).toHaveLength(620);
		expect(all.changes.at(-1)).toMatchObject({ last: true });
		await touchFile(platform.db, changed ?? '', 3);
		await deleteFile(platform.db, deleted ?? '');
		const some = await ask(`?cursor=${all.cursor}`);
		expect(some.changes.map((message) => message.eventType).sort()).toEqual(['file-deleted', 'file-update']);
		expect((await ask(`?cursor=${some.cursor}`)).changes).toEqual([]);
	});

	it('begins anew when the cursor cannot be continued', async () => {
		await insertFile(platform.db, ada.userId);
		const answer = await ask('?cursor=other.5&wait=25');
		expect(answer.changes.map((message) => message.eventType)).toEqual(['reset', 'snapshot']);
	});

	it('waits for the first change and answers as soon as there is one', async () => {
		const { cursor } = await ask('');
		const startedAt = performance.now();
		const waiting = ask(`?cursor=${cursor}&wait=25`);
		const id = await insertFile(platform.db, ada.userId);
		expect((await waiting).changes).toMatchObject([{ eventType: 'file-update', file: { id } }]);
		expect(performance.now() - startedAt).toBeLessThan(3000);
	});

	it('answers with nothing when the time is over', async () => {
		const { cursor } = await ask('');
		const answer = await ask(`?cursor=${cursor}&wait=1`);
		expect(answer.changes).toEqual([]);
		expect(answer.cursor).toMatch(/\./);
	});

	it('ends when the session does, and when the server stops', async () => {
		const other = await startLive(platform);
		const eve = await other.signIn(`${crypto.randomUUID()}@localhost`);
		const url = (cursor: string) => `${other.origin}/poll?cursor=${cursor}&wait=25`;
		const cursor = await other.changes.now();
		const waiting = fetch(url(cursor), { headers: { cookie: eve.cookie } });
		await isWaiting(other, eve);
		await other.auth.signOut(eve.token);
		expect((await waiting).status).toBe(401);

		const again = await other.signIn(`${crypto.randomUUID()}@localhost`);
		const stopped = fetch(url(cursor), { headers: { cookie: again.cookie } });
		await isWaiting(other, again);
		await other.events.stop('shutdown');
		expect((await stopped).status).toBe(200);
		await other.close();
	});

	it('brings named events: those sent while it waits, and what is kept until it is confirmed', async () => {
		const { cursor } = await ask('');
		const waiting = ask(`?cursor=${cursor}&wait=25`);
		await isWaiting(live, ada);
		await live.events.send({ to: { user: ada.userId }, event: 'export-ready', data: { pages: 3 } });
		expect((await waiting).events).toMatchObject([{ eventType: 'export-ready', data: { pages: 3 } }]);

		const { id } = await live.events.send({ to: { user: ada.userId }, event: 'notification' });
		expect((await ask(`?cursor=${cursor}`)).events).toMatchObject([{ id, kept: true }]);
		await live.events.seen(ada.userId, [id]);
		expect((await ask(`?cursor=${cursor}`)).events).toEqual([]);
	});

	it('leaves nothing behind when the client goes away', async () => {
		const { cursor } = await ask('');
		const controller = new AbortController();
		const waiting = fetch(`${live.origin}/poll?cursor=${cursor}&wait=25`, {
			headers: { cookie: ada.cookie },
			signal: controller.signal
		}).catch(() => undefined);
		await isWaiting(live, ada);
		controller.abort();
		await waiting;
		await eventually(() => expect(live.events.followed()).not.toContain(ada.userId));
	});

	async function isWaiting(server: LiveServer, person: Person): Promise<void> {
		await eventually(() => expect(server.events.followed()).toContain(person.userId));
	}

	async function ask(query: string): Promise<ChangesAnswer> {
		const answer = await fetch(`${live.origin}/poll${query}`, { headers: { cookie: ada.cookie } });
		return v.parse(ChangesAnswer, await answer.json());
	}
});
