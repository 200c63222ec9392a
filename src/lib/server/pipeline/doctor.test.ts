import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { makePipeline } from '../../../../tests/support/pipeline.ts';
import { gate, makeEmbedder, makeStages } from '../../../../tests/support/stages.ts';
import { silentLog } from '../log.ts';
import { createDoctor, isWell } from './doctor.ts';
import { createSweeper } from './sweeper.ts';

let test: TestFiles;
let ada: string;

beforeEach(async () => {
	test = await openTestFiles();
	ada = await test.platform.addUser();
});
afterEach(() => test.close());

function makeDoctor(stalledMs?: number) {
	const { platform, files, queue, scratch } = test;
	const uploads = { removeExpired: async () => 0 };
	const deps = { ...platform, files, queue, uploads, scratch, log: silentLog, minAgeMs: 0 };
	const sweeper = createSweeper(deps);
	return createDoctor({ ...deps, sweeper, ...(stalledMs !== undefined && { stalledMs }) });
}

describe('the doctor', () => {
	it('finds nothing wrong with files that wait', async () => {
		await test.addFile(ada);
		const report = await makeDoctor().examine();
		expect(report).toMatchObject({ queue: { waiting: 1, active: 0 }, orphanBlobs: 0, lost: { count: 0 } });
		expect(report.databaseBytes).toBeGreaterThan(1e6);
		expect(isWell(report)).toBe(true);
	});

	it('finds what is without job, bytes or row, mends it and says so', async () => {
		const stranded = await test.addFile(ada, 'stranded', { filename: 'stranded.txt' });
		await test.platform.db.query(`delete from pgboss.job where data ->> 'fileId' = $1`, [stranded.id]);
		const lost = await test.addFile(ada, 'lost', { filename: 'lost.txt' });
		await test.platform.blobs.remove([`${(await test.row(lost.id))?.blob_id}/original`]);
		await test.platform.blobs.put(`${randomUUID()}/original`, Readable.from(['orphan']));
		const doctor = makeDoctor();
		const before = await doctor.examine();
		expect(before).toMatchObject({
			stranded: { count: 1, first: [{ id: stranded.id, filename: 'stranded.txt', code: null }] },
			lost: { count: 1, first: [{ id: lost.id }] },
			orphanBlobs: 1,
			failed: { count: 0 }
		});
		expect(isWell(before)).toBe(false);
		expect(await doctor.mend()).toMatchObject({
			strandedFiles: 1,
			lostFiles: 1,
			orphanBlobs: 1,
			stalledFiles: 0
		});
		const after = await doctor.examine();
		expect(isWell(after)).toBe(true);
		expect(after.failed).toEqual({
			count: 1,
			first: [{ id: lost.id, filename: 'lost.txt', code: 'file.lost' }]
		});
	});

	it('begins work anew that shows no sign of life, and the old one ends', async () => {
		const stages = makeStages();
		const never = gate();
		stages.beforePage = async (_, { signal }) => {
			if (stages.calls.extract === 1) await never.passed(signal);
		};
		await test.queue.work(makePipeline(test, { stages, embedder: makeEmbedder() }));
		const { id } = await test.addFile(ada, 'text');
		const doctor = makeDoctor(300);
		await eventually(async () => expect((await doctor.examine()).stalled.count).toBe(1));
		expect(await doctor.mend()).toMatchObject({ stalledFiles: 1 });
		await eventually(async () =>
			expect(await test.files.get(ada, id)).toMatchObject({ status: 'completed', chunk_count: 1 })
		);
		expect(stages.calls.extract).toBe(2);
		await eventually(() => expect(test.queue.inHand()).toBe(0));
	});
});
