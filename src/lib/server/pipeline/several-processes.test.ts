// Work on a real Postgres, where statements of several processes really run at the same time.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { type Look, lookAt, makePipeline } from '../../../../tests/support/pipeline.ts';
import { findPostgres, type PostgresServer, startPostgres } from '../../../../tests/support/postgres.ts';
import { openPostgresPlatform } from '../../../../tests/support/postgres-platform.ts';
import { makeEmbedder, makeStages } from '../../../../tests/support/stages.ts';
import { silentLog } from '../log.ts';
import { createQueue, type Queue } from '../queue/queue.ts';

const postgres = await findPostgres();
const why = 'reason' in postgres ? ` (skipped: ${postgres.reason})` : '';

describe.skipIf('reason' in postgres)(`several processes on one Postgres${why}`, () => {
	let server: PostgresServer;
	let test: TestFiles;
	let ada: string;
	let look: Look;
	const others: Queue[] = [];

	beforeAll(async () => {
		server = await startPostgres('bin' in postgres ? postgres.bin : '');
		test = await openTestFiles(await openPostgresPlatform(server.url));
	});
	afterAll(async () => {
		for (const queue of others) await queue.stop();
		await test?.close();
		await server?.close();
	});
	beforeEach(async () => {
		ada = await test.platform.addUser();
		look = lookAt(test, ada);
	});

	/** One more process that works. */
	async function startProcess() {
		const stages = makeStages();
		const embedder = makeEmbedder();
		const queue = createQueue({ ...test.platform, config: { workerConcurrency: 2 }, log: silentLog });
		others.push(queue);
		await queue.start();
		await queue.work(makePipeline(test, { stages, embedder }));
		return { queue, stages, embedder };
	}

	async function countMissingVectors(): Promise<number> {
		const { rowCount } = await test.platform.db.query(
			`select from public.chunks c where c.user_id = $1 and not exists (
				select from public.embeddings e where e.user_id = c.user_id and e.hash = c.hash
			)`,
			[ada]
		);
		return rowCount;
	}

	it('share the work, and do each file once', { timeout: 60_000 }, async () => {
		const processes = [await startProcess(), await startProcess()];
		const files = await Promise.all(Array.from({ length: 30 }, (_, i) => test.addFile(ada, `file ${i}`)));
		for (const { id } of files) await look.untilItIs(id, { status: 'completed', chunk_count: 1 });
		const done = processes.map(({ stages }) => stages.calls.extract);
		expect(done.reduce((a, b) => a + b)).toBe(30);
		expect(Math.min(...done)).toBeGreaterThan(0);
		await Promise.all(processes.map(({ queue }) => queue.stop()));
	});

	it('take over from one that died', { timeout: 60_000 }, async () => {
		const { id } = await test.addFile(ada, 'its process is dead');
		await test.platform.db.query(
			`update pgboss.job set state = 'active', started_on = now(), heartbeat_on = now() - interval '1 minute'
			 where data ->> 'fileId' = $1`,
			[id]
		);
		const { queue } = await startProcess();
		await eventually(async () => expect(await look.get(id)).toMatchObject({ status: 'completed' }), {
			timeoutMs: 20_000
		});
		await queue.stop();
	});

	it('cannot both take the last of a quota', async () => {
		const add = (i: number) => test.addFile(ada, `${i}`.repeat(100), { quotaBytes: 350 });
		const results = await Promise.allSettled([1, 2, 3, 4, 5, 6, 7, 8].map(add));
		expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
		expect(await test.files.usedBytes(ada)).toBe(300);
	});

	it('never lose a vector that another file needs to a deletion', { timeout: 60_000 }, async () => {
		const { queue } = await startProcess();
		const shared = Array.from({ length: 100 }, (_, i) => `shared words ${i}`).join('\n');
		let earlier = await test.addFile(ada, `${shared}\nfile 0`);
		await look.untilItIs(earlier.id, { status: 'completed' });
		for (let i = 1; i <= 15; i++) {
			const later = await test.addFile(ada, `${shared}\nfile ${i}`);
			await Promise.all([
				test.files.remove(ada, earlier.id),
				look.untilItIs(later.id, { status: 'completed', chunk_count: 101 })
			]);
			expect(await countMissingVectors()).toBe(0);
			earlier = later;
		}
		await test.files.remove(ada, earlier.id);
		expect(await look.countVectors()).toBe(0);
		await queue.stop();
	});
});
