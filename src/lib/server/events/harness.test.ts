import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stages } from '#lib/shared/files.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { type LiveServer, startLive } from '../../../../tests/support/live.ts';
import type { Session } from '../auth/auth.ts';
import { createBell } from '../files/bell.ts';
import { deleteFile } from '../../../../tests/support/file-rows.ts';
import { silentLog } from '../log.ts';
import { createHarness, type Harness } from './harness.ts';

describe('the harness', () => {
	let platform: TestPlatform;
	let live: LiveServer;
	let harness: Harness;

	beforeAll(async () => {
		platform = await openTestPlatform();
		live = await startLive(platform);
		harness = open();
	});
	afterAll(async () => {
		await harness.stop();
		await live.close();
		await platform.close();
	});

	it('takes a file through all stages, as the stream tells', async () => {
		const { session, client } = await connect();
		const { id } = await harness.act(session, { do: 'file', stageMs: 300, failAt: null });
		await eventually(() =>
			expect(last(client.frames)).toMatchObject({ id, status: 'completed', progress: 100 })
		);
		const seen = filesOf(client.frames).map(({ processing_stage }) => processing_stage);
		expect(stages.slice(1).filter((stage) => !seen.includes(stage))).toEqual([]);
		client.close();
	});

	it('lets a file fail at the stage that was asked for', async () => {
		const { session, client } = await connect();
		await harness.act(session, { do: 'file', stageMs: 20, failAt: 'chunking' });
		await eventually(() =>
			expect(last(client.frames)).toMatchObject({
				status: 'failed',
				processing_stage: 'chunking',
				error_code: 'stage.timed_out'
			})
		);
		client.close();
	});

	it('makes ten thousand ticks, of which the stream tells a few, and the end', async () => {
		const { session, client } = await connect();
		const startedAt = performance.now();
		await harness.act(session, { do: 'burst', ticks: 10_000 });
		await eventually(() => expect(last(client.frames)).toMatchObject({ status: 'completed' }), {
			timeoutMs: 60_000
		});
		const seconds = (performance.now() - startedAt) / 1000;
		expect(client.named('file-update').length).toBeLessThanOrEqual(seconds * 4 + 6);
		client.close();
	}, 90_000);

	it('stops working on a file that was deleted, and on all of them when the server stops', async () => {
		const { session } = await connect();
		const own = open();
		const { id } = await own.act(session, { do: 'file', stageMs: 10_000, failAt: null });
		await deleteFile(platform.db, id);
		await own.act(session, { do: 'file', stageMs: 10_000, failAt: null });
		const startedAt = performance.now();
		await own.stop();
		expect(performance.now() - startedAt).toBeLessThan(2000);
	});

	it('works on five files at once, and lets only operators speak to everybody', async () => {
		const { session } = await connect();
		const own = open();
		for (let n = 0; n < 5; n += 1) await own.act(session, { do: 'file', stageMs: 10_000, failAt: null });
		await expect(own.act(session, { do: 'burst', ticks: 1 })).rejects.toMatchObject({
			code: 'request.too_many'
		});
		const guest = { ...session, isAdmin: false };
		const shout = { do: 'notify', to: 'everybody', title: 'Hello' } as const;
		await expect(own.act(guest, shout)).rejects.toMatchObject({ code: 'auth.not_allowed' });
		await own.stop();
	});

	it('ends a worker of the person who asks', async () => {
		const { session } = await connect();
		const asked: string[] = [];
		const own = open(async (userId) => {
			asked.push(userId);
			return 'busy';
		});
		expect(await own.crash(session)).toEqual({ worker: 'busy' });
		expect(asked).toEqual([session.userId]);
	});

	function open(crashWorker: (userId: string) => Promise<'busy' | 'idle'> = async () => 'idle'): Harness {
		const { db, blobs } = platform;
		const bell = createBell({ db, log: silentLog });
		return createHarness({
			db,
			blobs,
			bell,
			changes: live.changes,
			events: live.events,
			crashWorker,
			quotaBytes: 1e9,
			log: silentLog
		});
	}

	async function connect() {
		const person = await live.signIn(`${crypto.randomUUID()}@localhost`);
		const session: Session = live.auth.require(await live.auth.find(person.token));
		const client = await live.connect(person);
		await client.next('snapshot');
		return { session, client };
	}
});

type Frames = { event: string; data: Record<string, unknown> }[];

function filesOf(frames: Frames): Record<string, unknown>[] {
	return frames
		.filter(({ event }) => event === 'file-update')
		.map(({ data }) => data.file as Record<string, unknown>);
}

function last(frames: Frames): Record<string, unknown> | undefined {
	return filesOf(frames).at(-1);
}
