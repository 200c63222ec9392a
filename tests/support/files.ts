// Files with everything behind them that is real: database, blobs, queue, changes.
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { StoredFile } from '#lib/shared/files.ts';
import { createBell } from '#lib/server/files/bell.ts';
import { createChanges } from '#lib/server/files/changes.ts';
import { createFiles, type Files } from '#lib/server/files/files.ts';
import { createWorkers } from '#lib/server/files/workers.ts';
import { silentLog } from '#lib/server/log.ts';
import { createScratch, type Scratch } from '#lib/server/scratch.ts';
import { createQueue, type Queue } from '#lib/server/queue/queue.ts';
import { openTestPlatform, type PlatformOfTests } from './database.ts';
import { removeFolder } from './remove-folder.ts';

export type TestFiles = {
	platform: PlatformOfTests;
	files: Files;
	queue: Queue;
	scratch: Scratch;
	/** A file as an upload leaves it. */
	addFile(userId: string, content?: string | Buffer, changes?: Partial<Added>): Promise<StoredFile>;
	/** The column values of a row that the outside does not see. */
	row(id: string): Promise<Record<string, unknown> | undefined>;
	keys(prefix?: string): Promise<string[]>;
	close(): Promise<void>;
};

type Added = { filename: string; fileType: string; sizeBytes: number; quotaBytes: number };

export async function openTestFiles(given?: PlatformOfTests): Promise<TestFiles> {
	const platform = given ?? (await openTestPlatform());
	const { db, blobs, capabilities } = platform;
	const log = silentLog;
	const queue = createQueue({ db, capabilities, config: { workerConcurrency: 2 }, log });
	await queue.start();
	const scratchRoot = await mkdtemp(path.join(tmpdir(), 'asura-scratch-'));
	const changes = createChanges({ db, capabilities });
	const workers = createWorkers({ db, lanes: 2, log });
	await workers.join();
	const files = createFiles({ db, blobs, bell: createBell({ db, log }), jobs: queue, changes, workers });
	return {
		platform,
		files,
		queue,
		scratch: createScratch(scratchRoot),
		async addFile(userId, content = `text ${randomUUID()}`, changes = {}) {
			const blobId = randomUUID();
			const bytes = Buffer.from(content);
			await blobs.put(`${blobId}/original`, Readable.from([bytes]));
			const { file, isDuplicate } = await files.add({
				userId,
				blobId,
				filename: 'notes.txt',
				fileType: 'text/plain',
				sizeBytes: bytes.length,
				sha256: createHash('sha256').update(bytes).digest('hex'),
				quotaBytes: 1e9,
				...changes
			});
			if (isDuplicate) await blobs.remove([`${blobId}/original`]);
			return file;
		},
		async row(id) {
			const { rows } = await db.query('select * from public.files where id = $1', [id]);
			return rows[0];
		},
		async keys(prefix = '') {
			const keys: string[] = [];
			for await (const { key } of blobs.list(prefix)) keys.push(key);
			return keys.toSorted();
		},
		async close() {
			await queue.stop();
			await workers.leave();
			await platform.close();
			await removeFolder(scratchRoot);
		}
	};
}
