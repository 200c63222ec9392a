import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '#lib/shared/events.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { insertFile, insertFiles, touchFile } from '../../../../tests/support/file-rows.ts';
import { type LiveServer, startLive } from '../../../../tests/support/live.ts';
import type { SseClient } from '../../../../tests/support/sse.ts';

describe('the heartbeat', () => {
	let platform: TestPlatform;
	let live: LiveServer;
	const open: SseClient[] = [];

	beforeAll(async () => {
		platform = await openTestPlatform();
		live = await startLive(platform, { HEARTBEAT_SECONDS: '1' });
	});
	afterEach(() => open.splice(0).forEach((client) => client.close()));
	afterAll(async () => {
		await live.close();
		await platform.close();
	});

	it('comes again and again, with the cursor, the number of active files and the digest of all', async () => {
		const ada = await live.signIn('heartbeat@localhost');
		const ids = await insertFiles(platform.db, ada.userId, 3);
		await platform.db.query(`update public.files set status = 'failed' where id = $1`, [ids[0]]);
		const client = await connect(ada);
		const beats = [await client.next('heartbeat'), await client.next('heartbeat')];
		const { files } = await live.changes.snapshot(ada.userId);
		for (const { data, id } of beats) {
			expect(data).toMatchObject({ eventType: 'heartbeat', active: 2, digest: digestOf(files) });
			expect(data.cursor).toBe(id);
		}
		const apart = (beats[1]?.at ?? 0) - (beats[0]?.at ?? 0);
		expect(apart).toBeGreaterThan(700);
		expect(apart).toBeLessThan(1600);
	});

	it('never tells of a state that was not sent before it, while files change all the time', async () => {
		const ada = await live.signIn('busy@localhost');
		const ids = await insertFiles(platform.db, ada.userId, 30);
		const revs = new Map<string, number>();
		const wrong: unknown[] = [];
		const client = await live.connect(ada, '', {
			onFrame({ event, data }) {
				const files = (data.files ?? (data.file ? [data.file] : [])) as { id: string; rev: number }[];
				for (const { id, rev } of files) revs.set(id, rev);
				const known = digestOf([...revs].map(([id, rev]) => ({ id, rev })));
				if (event === 'heartbeat' && data.digest !== known) wrong.push([data.digest, known]);
			}
		});
		open.push(client);
		await client.next('snapshot');
		while (client.named('heartbeat').length < 4) {
			await Promise.all(ids.map((id) => touchFile(platform.db, id, Math.random() * 99)));
			if (Math.random() < 0.3) await insertFile(platform.db, ada.userId);
			await platform.db.notify('asura_files', ada.userId);
		}
		expect(wrong).toEqual([]);
	});

	it('reaches a change within the ring of the bell, and without it all the same', async () => {
		const ada = await live.signIn('bell@localhost');
		const id = await insertFile(platform.db, ada.userId);
		const client = await connect(ada);
		await client.next('snapshot');
		for (const isRung of [true, true, true, false]) {
			await touchFile(platform.db, id, Math.random() * 99);
			const committedAt = performance.now();
			if (isRung) await platform.db.notify('asura_files', ada.userId);
			const { at } = await client.next('file-update', 2000);
			expect(at - committedAt).toBeLessThan(isRung ? 240 : 700);
			await eventually(() => expect(performance.now() - at).toBeGreaterThan(260));
		}
	});

	it('survives a database that does not answer for a while', async () => {
		const ada = await live.signIn('away@localhost');
		let isAway = false;
		const fragile = await startLive(platform, {}, (changes) => ({
			...changes,
			touched: (position) =>
				isAway ? Promise.reject(new Error('the database is away')) : changes.touched(position)
		}));
		try {
			const client = await fragile.connect(ada);
			await client.next('snapshot');
			isAway = true;
			const id = await insertFile(platform.db, ada.userId, 'meanwhile');
			await eventually(() => expect(client.isEnded).toBe(false));
			isAway = false;
			expect((await client.next('file-update', 3000)).data).toMatchObject({ file: { id } });
			client.close();
		} finally {
			await fragile.close();
		}
	});

	async function connect(person: Awaited<ReturnType<LiveServer['signIn']>>): Promise<SseClient> {
		const client = await live.connect(person);
		open.push(client);
		return client;
	}
});
