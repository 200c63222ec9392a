import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { silentLog } from '../log.ts';
import { createScratch } from '../scratch.ts';
import { createSweeper } from './sweeper.ts';

let test: TestFiles;
let ada: string;

beforeEach(async () => {
	test = await openTestFiles();
	ada = await test.platform.addUser();
});
afterEach(() => test.close());

const sweep = (minAgeMs = 0, { scratch } = test) => {
	const { platform, files, queue } = test;
	const uploads = { removeExpired: async () => 0 };
	return createSweeper({ ...platform, files, queue, uploads, scratch, log: silentLog, minAgeMs }).sweep();
};

async function complete(id: string): Promise<void> {
	const claim = await test.files.claim({ fileId: id, attempt: 0, sizeBytes: 1, tries: 0 });
	await claim?.complete({ pageCount: null, chunkCount: 0, warnings: [] });
}

describe('the sweeper', () => {
	it('removes bytes whose upload died before there was a row, and no others', async () => {
		const { id } = await test.addFile(ada, 'kept');
		const { blob_id } = (await test.row(id)) ?? {};
		const orphan = randomUUID();
		for (const variant of ['original', 'text']) {
			await test.platform.blobs.put(`${orphan}/${variant}`, Readable.from(['lost']));
		}
		expect(await sweep(60_000)).toMatchObject({ orphanBlobs: 0, strandedFiles: 0 });
		expect(await sweep()).toMatchObject({ orphanBlobs: 2, strandedFiles: 0 });
		expect(await test.keys()).toEqual([`${blob_id}/original`]);
	});

	it('removes what is left when a process died between deleting a row and its bytes', async () => {
		const { id } = await test.addFile(ada);
		await test.platform.db.query('delete from public.files where id = $1', [id]);
		expect(await sweep()).toMatchObject({ orphanBlobs: 1 });
		expect(await test.keys()).toEqual([]);
	});

	it('ends files whose bytes are gone, and keeps what was read of those that were completed', async () => {
		const fine = await test.addFile(ada);
		const gone = await test.addFile(ada, 'gone before it was read');
		const read = await test.addFile(ada, 'gone after it was read');
		await complete(read.id);
		for (const { id } of [gone, read]) {
			await test.platform.blobs.remove([`${(await test.row(id))?.blob_id}/original`]);
		}
		expect(await sweep()).toMatchObject({ lostFiles: 2, strandedFiles: 0 });
		expect(await sweep()).toMatchObject({ lostFiles: 0 });
		expect(await test.files.get(ada, gone.id)).toMatchObject({
			status: 'failed',
			error_code: 'file.lost',
			error_message: 'The bytes of this file are missing from the storage.'
		});
		expect(await test.files.get(ada, read.id)).toMatchObject({
			status: 'completed',
			error_code: null,
			warnings: [{ code: 'file.lost', message: expect.stringContaining('can still be found') }]
		});
		expect(await test.files.get(ada, fine.id)).toMatchObject({ status: 'pending', error_code: null });
	});

	it('lets lost bytes be uploaded again: they are no duplicate of what is gone', async () => {
		const lost = await test.addFile(ada, 'the same');
		await test.platform.blobs.remove([`${(await test.row(lost.id))?.blob_id}/original`]);
		await sweep();
		const again = await test.addFile(ada, 'the same');
		expect(again.duplicate_of).toBeNull();
		expect(await test.keys()).toEqual([`${(await test.row(again.id))?.blob_id}/original`]);
		expect(await test.files.findTwin(again.id)).toBeUndefined();
	});

	it('gives a job to files that are at work without one', async () => {
		const waiting = await test.addFile(ada);
		const begun = await test.addFile(ada);
		const ended = await test.addFile(ada);
		await test.files.cancel(ada, ended.id);
		const fine = await test.addFile(ada);
		await test.files.claim({ fileId: begun.id, attempt: 0, sizeBytes: 1, tries: 0 });
		await test.platform.db.query(`delete from pgboss.job where data ->> 'fileId' <> $1`, [fine.id]);
		expect(await sweep()).toMatchObject({ strandedFiles: 2 });
		const live = await test.queue.live();
		expect([...live.keys()].toSorted()).toEqual([waiting.id, begun.id, fine.id].toSorted());
		expect(
			await test.files.claim({ fileId: begun.id, attempt: live.get(begun.id) ?? 0, sizeBytes: 1, tries: 0 })
		).toBeDefined();
		expect(await sweep()).toMatchObject({ strandedFiles: 0 });
	});

	it('removes the scratch folder of a process that was killed, and leaves those of the living', async () => {
		const root = await mkdtemp(path.join(tmpdir(), 'asura-'));
		const scratch = createScratch(root);
		const child = fork(new URL('../../../../tests/support/scratch-process.ts', import.meta.url), [root], {
			execArgv: []
		});
		const [folder] = await once(child, 'message');
		await scratch.use(async (own) => {
			// A predecessor in the same container had the same number.
			const before = own.replace(/-[0-9a-f]{8}-(?=\w*$)/, '-00000000-');
			const [elsewhere, longGone] = ['x', 'y'].map((end) => path.join(root, `ffffffff-1-00000000-${end}`));
			for (const one of [before, elsewhere ?? '', longGone ?? '']) await mkdir(one);
			await utimes(longGone ?? '', 0, 0);
			expect((await sweep(0, { ...test, scratch })).scratchFolders).toBe(2);
			const folders = [before, longGone, elsewhere, folder, own];
			expect(folders.map((one) => existsSync(one))).toEqual([false, false, true, true, true]);
			child.kill('SIGKILL');
			await once(child, 'exit');
			expect((await sweep(0, { ...test, scratch })).scratchFolders).toBe(1);
			expect([folder, own].map((one) => existsSync(one))).toEqual([false, true]);
		});
		await rm(root, { recursive: true });
	});
});
