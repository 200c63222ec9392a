import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { filesChannel } from '../platform/listen-feed.ts';
import { problem } from '../errors.ts';
import { type Claim, LostClaim } from './claim.ts';

let test: TestFiles;
let ada: string;
let bob: string;

beforeAll(async () => {
	test = await openTestFiles();
});
afterAll(() => test.close());
beforeEach(async () => {
	ada = await test.platform.addUser();
	bob = await test.platform.addUser();
});

const jobOf = (fileId: string, attempt = 0) => ({ fileId, attempt, sizeBytes: 1, tries: 0 });

async function claim(fileId: string, attempt = 0): Promise<Claim> {
	const claim = await test.files.claim(jobOf(fileId, attempt));
	if (!claim) throw new Error('not claimed');
	return claim;
}

async function addPassages(claim: Claim, hashes: string[]): Promise<void> {
	await claim.tx(async (tx) => {
		for (const [ordinal, hash] of hashes.entries()) {
			await tx.query(
				'insert into public.chunks (file_id, ordinal, user_id, text, hash) values ($1, $2, $3, $4, $5)',
				[claim.file.id, ordinal, claim.file.userId, `text of ${hash}`, hash]
			);
			await tx.query(
				`insert into public.embeddings (user_id, hash, model, embedding)
				 values ($1, $2, 'm', '[1,2]'::extensions.vector) on conflict do nothing`,
				[claim.file.userId, hash]
			);
		}
	});
}

async function complete(claim: Claim, chunkCount = 0): Promise<void> {
	await claim.complete({ pageCount: null, chunkCount, warnings: [] });
}

async function vectorsOf(userId: string): Promise<string[]> {
	const { rows } = await test.platform.db.query<{ hash: string }>(
		'select hash from public.embeddings where user_id = $1 order by hash',
		[userId]
	);
	return rows.map(({ hash }) => hash);
}

describe('adding a file', () => {
	it('makes its row and its job together', async () => {
		const file = await test.addFile(ada, 'hello');
		expect(file).toMatchObject({ status: 'pending', progress: 0, size_bytes: 5, duplicate_of: null, rev: 1 });
		expect((await test.queue.live()).get(file.id)).toBe(0);
	});

	it('takes no row when the quota is full, also when two uploads arrive together', async () => {
		const add = () => test.addFile(ada, randomUUID(), { quotaBytes: 50 });
		const results = await Promise.allSettled([add(), add()]);
		expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
		expect(results.find((one) => one.status === 'rejected')?.reason).toMatchObject({
			code: 'upload.quota_exceeded'
		});
		expect((await test.files.list(ada, {})).files).toHaveLength(1);
		expect(await test.files.usedBytes(ada)).toBe(36);
	});

	it('tells a duplicate, which shares the bytes and costs no storage', async () => {
		const first = await test.addFile(ada, 'the same');
		const second = await test.addFile(ada, 'the same', { filename: 'copy.txt', quotaBytes: 8 });
		const third = await test.addFile(ada, 'the same', { quotaBytes: 8 });
		expect([second.duplicate_of, third.duplicate_of]).toEqual([first.id, first.id]);
		expect((await test.row(second.id))?.blob_id).toBe((await test.row(first.id))?.blob_id);
		expect(await test.files.usedBytes(ada)).toBe(8);
	});

	it('keeps two people’s equal bytes apart', async () => {
		await test.addFile(ada, 'both have this');
		expect((await test.addFile(bob, 'both have this')).duplicate_of).toBeNull();
	});
});

describe('reading', () => {
	it('lists newest first, page by page, without skipping when a row between pages goes', async () => {
		const ids: string[] = [];
		for (let i = 0; i < 5; i++) ids.unshift((await test.addFile(ada)).id);
		const first = await test.files.list(ada, { limit: 2 });
		expect(first.files.map(({ id }) => id)).toEqual(ids.slice(0, 2));
		await test.files.remove(ada, ids[1] ?? '');
		const second = await test.files.list(ada, { limit: 2, after: first.next ?? '' });
		expect(second.files.map(({ id }) => id)).toEqual(ids.slice(2, 4));
		const third = await test.files.list(ada, { limit: 2, after: second.next ?? '' });
		expect(third).toMatchObject({ files: [{ id: ids[4] }], next: null });
	});

	it('filters by status and refuses a place it did not give', async () => {
		const file = await test.addFile(ada);
		await complete(await claim((await test.addFile(ada)).id));
		const { files } = await test.files.list(ada, { status: 'pending' });
		expect(files.map(({ id }) => id)).toEqual([file.id]);
		for (const after of ['', 'x', Buffer.from('1|2').toString('base64url')]) {
			await expect(test.files.list(ada, { after })).rejects.toMatchObject({ code: 'request.invalid' });
		}
	});

	it('answers for somebody else’s file, a missing one and a malformed id alike', async () => {
		const { id } = await test.addFile(ada);
		for (const [user, one] of [
			[bob, id],
			[ada, randomUUID()],
			[ada, "x'; drop table"]
		] as const) {
			const notFound = { code: 'file.not_found', status: 404 };
			await expect(test.files.get(user, one)).rejects.toMatchObject(notFound);
			await expect(test.files.remove(user, one)).rejects.toMatchObject(notFound);
			await expect(test.files.cancel(user, one)).rejects.toMatchObject(notFound);
			await expect(test.files.retry(user, one)).rejects.toMatchObject(notFound);
		}
		expect(await test.files.get(ada, id)).toMatchObject({ id, status: 'pending' });
		expect((await test.files.list(bob, {})).files).toEqual([]);
	});
});

describe('a claim', () => {
	it('writes progress that never goes back, and completes', async () => {
		const { id } = await test.addFile(ada);
		const mine = await claim(id);
		const state = {
			stage: 'extraction',
			activity: { unit: 'pages', done: 4, total: 10 },
			stages: { compression: null, extraction: 0.4 },
			etaSeconds: 3
		} as const;
		await mine.progress({ ...state, progress: 40 });
		await mine.progress({ ...state, progress: 30 });
		expect(await test.files.get(ada, id)).toMatchObject({
			status: 'processing',
			progress: 40,
			processing_stage: 'extraction',
			activity: { unit: 'pages', done: 4, total: 10 },
			stage_progress: { compression: null, extraction: 0.4 },
			eta_seconds: 3
		});
		await mine.progress({ ...state, progress: 100 });
		expect((await test.files.get(ada, id)).progress).toBeCloseTo(99.9);
		await mine.complete({ pageCount: 10, chunkCount: 0, warnings: [{ code: 'a.b', message: 'c' }] });
		expect(await test.files.get(ada, id)).toMatchObject({
			status: 'completed',
			progress: 100,
			processing_stage: null,
			activity: null,
			page_count: 10,
			warnings: [{ code: 'a.b', message: 'c' }]
		});
	});

	it('is lost to a later one: the database refuses each of its writes', async () => {
		const { id } = await test.addFile(ada);
		const old = await claim(id);
		const current = await claim(id);
		const state = { progress: 50, stage: 'embedding', activity: null, stages: {}, etaSeconds: null } as const;
		await expect(old.progress(state)).rejects.toThrow(LostClaim);
		await expect(addPassages(old, ['h'])).rejects.toThrow(LostClaim);
		await expect(old.keepVariants({})).rejects.toThrow(LostClaim);
		await expect(complete(old)).rejects.toThrow(LostClaim);
		await expect(old.fail(problem('file.damaged'))).rejects.toThrow(LostClaim);
		await current.progress(state);
		expect(await vectorsOf(ada)).toEqual([]);
	});

	it('is not given for an older job, nor for a file that has ended', async () => {
		const { id } = await test.addFile(ada);
		await test.files.cancel(ada, id);
		expect(await test.files.claim(jobOf(id))).toBeUndefined();
		await test.files.retry(ada, id);
		expect(await test.files.claim(jobOf(id))).toBeUndefined();
		await complete(await claim(id, 2));
		expect(await test.files.claim(jobOf(id, 2))).toBeUndefined();
	});

	it('rings the owner’s bell after the commit', async () => {
		const heard: string[] = [];
		const stop = await test.platform.db.listen(filesChannel, (userId) => heard.push(userId));
		const { id } = await test.addFile(ada);
		await eventually(() => expect(heard).toContain(ada));
		heard.length = 0;
		await complete(await claim(id));
		await eventually(() => expect(heard).toContain(ada));
		await stop();
	});

	it('drops passages beyond the last one of this attempt, and vectors nobody needs then', async () => {
		const { id } = await test.addFile(ada);
		const other = await claim((await test.addFile(ada)).id);
		await addPassages(other, ['shared']);
		const mine = await claim(id);
		await addPassages(mine, ['kept', 'shared', 'stray']);
		await complete(mine, 1);
		expect(await vectorsOf(ada)).toEqual(['kept', 'shared']);
	});
});

describe('cancel and retry', () => {
	it('leave only the original, and start again from nothing', async () => {
		const { id } = await test.addFile(ada);
		const mine = await claim(id);
		const prefix = `${mine.file.blobId}/`;
		await test.platform.blobs.put(`${prefix}compressed`, Readable.from(['x']));
		await mine.keepVariants({ compressed: { type: 'image/webp', bytes: 1 } });
		await addPassages(mine, ['a', 'b']);
		expect(await test.files.cancel(ada, id)).toMatchObject({ status: 'cancelled', compressed_bytes: null });
		await expect(addPassages(mine, ['c'])).rejects.toThrow(LostClaim);
		expect(await vectorsOf(ada)).toEqual([]);
		expect(await test.keys(prefix)).toEqual([`${prefix}original`]);
		await expect(test.files.cancel(ada, id)).rejects.toMatchObject({ code: 'file.not_cancellable' });

		expect(await test.files.retry(ada, id, { password: 'secret' })).toMatchObject({
			status: 'pending',
			progress: 0
		});
		expect(await test.files.passwords.find(id)).toBe('secret');
		expect(
			JSON.stringify((await test.platform.db.query('select * from asura.passwords')).rows)
		).not.toContain('secret');
		expect(JSON.stringify((await test.platform.db.query('select * from pgboss.job')).rows)).not.toContain(
			'secret'
		);
		await expect(test.files.retry(ada, id)).rejects.toMatchObject({ code: 'file.not_retryable' });
		expect((await test.queue.live()).get(id)).toBe((await test.row(id))?.queued_attempt);
	});

	it('keeps what a failed file has, for the retry', async () => {
		const { id } = await test.addFile(ada);
		const mine = await claim(id);
		await addPassages(mine, ['a']);
		await mine.fail(problem('embedding.unreachable'));
		expect(await test.files.get(ada, id)).toMatchObject({
			status: 'failed',
			error_code: 'embedding.unreachable'
		});
		expect(await test.files.retry(ada, id)).toMatchObject({ error_code: null, error_message: null });
		expect(await vectorsOf(ada)).toEqual(['a']);
	});
});

describe('removing a file', () => {
	it('leaves neither row, passage, vector, checkpoint nor blob, only a tombstone', async () => {
		const { id } = await test.addFile(ada);
		const mine = await claim(id);
		await addPassages(mine, ['gone', 'shared']);
		await addPassages(await claim((await test.addFile(ada)).id), ['shared']);
		await test.files.remove(ada, id);
		await expect(addPassages(mine, ['late'])).rejects.toThrow(LostClaim);
		expect(await vectorsOf(ada)).toEqual(['shared']);
		expect(await test.keys(mine.file.blobId)).toEqual([]);
		const { rows } = await test.platform.db.query('select id from asura.deleted_files where id = $1', [id]);
		expect(rows).toHaveLength(1);
		await expect(test.files.remove(ada, id)).rejects.toMatchObject({ code: 'file.not_found' });
	});

	it('lets a duplicate live on: it keeps the bytes, and the others are its duplicates now', async () => {
		const first = await test.addFile(ada, 'thrice');
		const second = await test.addFile(ada, 'thrice');
		const third = await test.addFile(ada, 'thrice');
		const { blob_id } = (await test.row(first.id)) ?? {};
		await test.files.remove(ada, first.id);
		expect((await test.files.get(ada, second.id)).duplicate_of).toBeNull();
		expect((await test.files.get(ada, third.id)).duplicate_of).toBe(second.id);
		expect(await test.files.usedBytes(ada)).toBe(6);
		expect(await test.keys(String(blob_id))).toEqual([`${blob_id}/original`]);
		await test.files.remove(ada, second.id);
		await test.files.remove(ada, third.id);
		expect(await test.keys(String(blob_id))).toEqual([]);
	});

	it('does not touch another person’s vectors', async () => {
		const mine = await claim((await test.addFile(ada)).id);
		await addPassages(mine, ['same text']);
		await addPassages(await claim((await test.addFile(bob)).id), ['same text']);
		await test.files.remove(ada, mine.file.id);
		expect(await vectorsOf(bob)).toEqual(['same text']);
	});
});

describe('a job that was lost too often', () => {
	it('fails the file', async () => {
		const { id } = await test.addFile(ada);
		await claim(id);
		expect(await test.files.giveUp(jobOf(id))).toBe('failed');
		expect(await test.files.get(ada, id)).toMatchObject({ status: 'failed', error_code: 'job.gave_up' });
	});

	it('gets a new one when the file got further meanwhile', async () => {
		const { id } = await test.addFile(ada);
		const mine = await claim(id);
		await mine.tx((tx) =>
			tx.query(
				`insert into asura.file_stages (file_id, stage, attempt, input_hash) values ($1, 'compression', $2, 'x')`,
				[id, mine.attempt]
			)
		);
		expect(await test.files.giveUp(jobOf(id))).toBe('again');
		const attempt = (await test.queue.live()).get(id) ?? 0;
		expect(attempt).toBeGreaterThan(1);
		await claim(id, attempt);
		expect(await test.files.giveUp(jobOf(id, attempt))).toBe('failed');
	});

	it('leaves a file alone that has another job by now', async () => {
		const { id } = await test.addFile(ada);
		await test.files.cancel(ada, id);
		await test.files.retry(ada, id);
		expect(await test.files.giveUp(jobOf(id))).toBe('gone');
		expect((await test.files.get(ada, id)).status).toBe('pending');
	});
});
