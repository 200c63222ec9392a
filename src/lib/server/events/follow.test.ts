import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { aFile } from '../../../../tests/support/a-file.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { deleteFile, insertFile, touchFile } from '../../../../tests/support/file-rows.ts';
import { type LiveServer, type Person, startLive } from '../../../../tests/support/live.ts';
import { createMetrics } from '../metrics.ts';
import { ownScope } from '../files/reach.ts';
import { Follower } from './follow.ts';
import { createFrameCounts } from './frame-counts.ts';
import { Hub } from './hub.ts';
import { sentenceOf } from './sentence.ts';

describe('the stream of one file', () => {
	let platform: TestPlatform;
	let live: LiveServer;
	let ada: Person;
	let id: string;

	beforeAll(async () => {
		platform = await openTestPlatform();
		live = await startLive(platform);
	});
	beforeEach(async () => {
		ada = await live.signIn(`${crypto.randomUUID()}@localhost`);
		id = await insertFile(platform.db, ada.userId);
	});
	afterAll(async () => {
		await live.close();
		await platform.close();
	});

	it('tells how far it is, then the result, and ends', async () => {
		const client = await live.open(ada, `/follow/${id}`);
		expect(client.frames[0]?.event ?? (await client.next('connected')).event).toBe('connected');
		expect((await client.next('progress')).data).toMatchObject({
			status: 'pending',
			progress: 0,
			message: 'Waiting'
		});
		await touchFile(platform.db, id, 40);
		expect((await client.next('progress')).data).toMatchObject({ status: 'processing', progress: 40 });
		await platform.db.query(`update public.files set status = 'completed', progress = 100 where id = $1`, [
			id
		]);
		expect((await client.next('completed')).data).toMatchObject({ result: { id, status: 'completed' } });
		await eventually(() => expect(client.isEnded).toBe(true));
		expect(client.named('completed')).toHaveLength(1);
		expect(client.frames.at(-1)?.event).toBe('completed');
	});

	it('ends with the reason when the file fails', async () => {
		const client = await live.open(ada, `/follow/${id}`);
		await client.next('progress');
		await platform.db.query(
			`update public.files set status = 'failed', error_code = 'file.damaged', error_message = 'It is damaged.' where id = $1`,
			[id]
		);
		expect((await client.next('failed')).data).toMatchObject({
			error: 'It is damaged.',
			details: { code: 'file.damaged', status: 'failed', file: { id } }
		});
		await eventually(() => expect(client.isEnded).toBe(true));
	});

	it.each([
		[
			'cancelled',
			'file.cancelled',
			(one: string) => platform.db.query(`update public.files set status = 'cancelled' where id = $1`, [one])
		],
		['deleted', 'file.deleted', (one: string) => deleteFile(platform.db, one)]
	])('ends when the file is %s', async (_, code, act) => {
		const client = await live.open(ada, `/follow/${id}`);
		await client.next('progress');
		await act(id);
		expect((await client.next('failed')).data).toMatchObject({ details: { code } });
		await eventually(() => expect(client.isEnded).toBe(true));
	});

	it('tells the result of a file that had ended before', async () => {
		await platform.db.query(`update public.files set status = 'completed', progress = 100 where id = $1`, [
			id
		]);
		const client = await live.open(ada, `/follow/${id}`);
		await client.next('completed');
		await eventually(() => expect(client.isEnded).toBe(true));
		expect(client.frames.map(({ event }) => event)).toEqual(['connected', 'progress', 'completed']);
	});

	it('is there for nobody else, nor for ids that are none', async () => {
		const eve = await live.signIn(`${crypto.randomUUID()}@localhost`);
		for (const [person, path] of [
			[eve, id],
			[ada, crypto.randomUUID()],
			[ada, 'x'],
			[ada, "';--"]
		] as const) {
			const client = await live.open(person, `/follow/${encodeURIComponent(path)}`);
			expect(client.status).toBe(404);
		}
	});

	it('gives up after its time, with bye', async () => {
		const hub = new Hub({
			metrics: createMetrics(),
			onFirst: async () => undefined,
			onLast: () => undefined
		});
		const written: string[] = [];
		const end = vi.fn();
		const deps = {
			db: platform.db,
			hub,
			changes: live.changes,
			metrics: createMetrics(),
			counts: createFrameCounts(createMetrics()),
			heartbeatSeconds: 30
		};
		const sink = {
			attach: () => undefined,
			write: (bytes: Uint8Array) => void written.push(Buffer.from(bytes).toString()),
			pending: () => 0,
			end,
			destroy: () => undefined
		};
		const follower = new Follower(
			deps,
			{ session: { id: ada.sessionId, userId: ada.userId }, scope: ownScope(ada.userId), fileId: id },
			sink
		);
		await follower.start();
		follower.tend(performance.now() + 299_000);
		expect(end).not.toHaveBeenCalled();
		follower.tend(performance.now() + 301_000);
		expect(written.at(-1)).toContain('"reason":"timeout"');
		expect(end).toHaveBeenCalledOnce();
		expect([...hub.scopeIds]).toEqual([]);
	});
});

describe('the sentence about a file', () => {
	it.each([
		[{ status: 'pending', processing_stage: null, queue_position: 3 }, 'Waiting, 3 before it'],
		[
			{ processing_stage: 'extraction', activity: { unit: 'pages', done: 412, total: 2415 } },
			'Reading: 412 of 2415 pages'
		],
		[
			{ processing_stage: 'compression', activity: { unit: 'bytes', done: 10, total: null } },
			'Compressing: 10 bytes'
		],
		[
			{ processing_stage: 'embedding', activity: { unit: 'seconds_waiting', done: 6, total: 20 } },
			'Waiting 14 s for the provider'
		],
		[{ processing_stage: null }, 'Starting']
	] as const)('%j', (changes, sentence) => {
		expect(sentenceOf(aFile(changes))).toBe(sentence);
	});
});
