import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#lib/shared/events.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { deleteFile, insertFile, insertFiles, touchFile } from '../../../../tests/support/file-rows.ts';
import { createChanges, type Changes } from './changes.ts';
import { parseCursor } from './cursor.ts';

describe('changes', () => {
	let platform: TestPlatform;
	let changes: ReturnType<typeof createChanges>;
	let userId: string;

	beforeAll(async () => {
		platform = await openTestPlatform();
		changes = createChanges(platform);
	});
	beforeEach(async () => {
		userId = await platform.addUser();
	});
	afterAll(() => platform.close());

	it('tells what was added, changed and deleted since a cursor, each once and as it is now', async () => {
		const changed = await insertFile(platform.db, userId, 'changed');
		const deleted = await insertFile(platform.db, userId, 'deleted');
		await insertFile(platform.db, userId, 'untouched');
		const cursor = await changes.now();
		await touchFile(platform.db, changed, 10);
		await touchFile(platform.db, changed, 20);
		await deleteFile(platform.db, deleted);
		const added = await insertFile(platform.db, userId, 'added');

		const found = changesOf(await changes.since(userId, cursor));
		expect(found.changes).toHaveLength(3);
		expect(found.changes.find(({ id }) => id === changed)).toMatchObject({ rev: 3, file: { progress: 20 } });
		expect(found.changes.find(({ id }) => id === deleted)).toEqual({ id: deleted, rev: 2, file: undefined });
		expect(found.changes.find(({ id }) => id === added)).toMatchObject({ rev: 1 });
		expect(changesOf(await changes.since(userId, found.cursor)).changes).toEqual([]);
	});

	it('never tells one person about the files of another', async () => {
		const cursor = await changes.now();
		const id = await insertFile(platform.db, await platform.addUser());
		await deleteFile(platform.db, id);
		expect(changesOf(await changes.since(userId, cursor)).changes).toEqual([]);
	});

	it('includes a write whose transaction was still open when the cursor was taken', async () => {
		const cursor = await platform.db.tx(async (tx) => {
			await insertFile(tx, userId, 'open');
			return changes.now(tx);
		});
		expect(changesOf(await changes.since(userId, cursor)).changes).toHaveLength(1);
	});

	it('refuses to continue a cursor that is not one, of another epoch, or of the future', async () => {
		const present = parseCursor(await changes.now());
		const beyond = `${present?.epoch}.${BigInt(present?.position ?? 0) + 1000n}`;
		expect(await changes.since(userId, 'nonsense')).toEqual({ kind: 'reset', reason: 'unknown_cursor' });
		expect(await changes.since(userId, `${present?.epoch}.99999999999999999999`)).toMatchObject({
			reason: 'unknown_cursor'
		});
		expect(await changes.since(userId, 'other.1')).toMatchObject({ reason: 'other_epoch' });
		expect(await changes.since(userId, beyond)).toMatchObject({ reason: 'beyond_present' });
		expect(await createChanges(platform).since(userId, await changes.now())).toMatchObject({
			reason: 'other_epoch'
		});
	});

	it('refuses to continue from before a deletion whose tombstone is gone, and from nowhere else', async () => {
		const before = await changes.now();
		const old = await insertFile(platform.db, userId);
		await deleteFile(platform.db, old);
		await platform.db.query(
			`update asura.deleted_files set deleted_at = now() - interval '25 hours' where id = $1`,
			[old]
		);
		const after = await changes.now();
		const recent = await insertFile(platform.db, userId);
		await deleteFile(platform.db, recent);

		expect(await changes.prune()).toBe(1);
		expect(await changes.since(userId, before)).toMatchObject({ reason: 'too_old' });
		expect(changesOf(await changes.since(userId, after)).changes).toMatchObject([{ id: recent }]);
	});

	it('hands out all files newest first, page by page, even when one at the edge of a page is deleted', async () => {
		const ids = await insertFiles(platform.db, userId, 1201);
		const firstPage = await changes.snapshot(userId);
		const edge = firstPage.files.at(-1)?.id ?? '';
		await deleteFile(platform.db, edge);
		const secondPage = await changes.snapshot(userId, firstPage.next);
		const thirdPage = await changes.snapshot(userId, secondPage.next);

		const pages = [firstPage, secondPage, thirdPage];
		expect(pages.map(({ files }) => files.length)).toEqual([500, 500, 201]);
		expect(thirdPage.next).toBeUndefined();
		expect(new Set(pages.flatMap(({ files }) => files.map(({ id }) => id)))).toEqual(new Set(ids));
		expect(changesOf(await changes.since(userId, firstPage.cursor)).changes).toMatchObject([{ id: edge }]);
	});

	it('computes the same digest as the browser, in the snapshot of the changes', async () => {
		const ids = await insertFiles(platform.db, userId, 40);
		for (const [i, id] of ids.entries())
			for (let n = 0; n < i % 5; n += 1) await touchFile(platform.db, id, n);
		const { files } = await changes.snapshot(userId);
		const other = await platform.addUser();
		const { digests } = await changes.readWithDigests(await changes.position(), known(userId, other));

		expect(digests.get(userId)?.digest).toBe(digestOf(files));
		expect(digests.get(userId)?.active).toBe(40);
		expect(digests.get(other)).toEqual({ active: 0, digest: digestOf([]) });
		await touchFile(platform.db, ids[0] ?? '', 9);
		const later = await changes.readWithDigests(await changes.position(), known(userId));
		expect(later.digests.get(userId)?.digest).not.toBe(digestOf(files));
	});

	it('skips rows whose rev is known and names everybody who was touched', async () => {
		const position = await changes.position();
		const id = await insertFile(platform.db, userId);
		expect((await changes.touched(position)).scopeIds).toEqual([userId]);
		const once = await changes.read(position, known(userId));
		expect(once.scopes.get(userId)?.changes).toMatchObject([{ id, rev: 1 }]);
		const again = await changes.read(
			position,
			new Map([[userId, once.scopes.get(userId)?.revs ?? new Map()]])
		);
		expect(again.scopes.get(userId)?.changes).toEqual([]);
		await touchFile(platform.db, id);
		const third = await changes.read(
			position,
			new Map([[userId, again.scopes.get(userId)?.revs ?? new Map()]])
		);
		expect(third.scopes.get(userId)?.changes).toMatchObject([{ id, rev: 2 }]);
	});

	it('brings rows of a restored dump, stamped with the future, back to the present', async () => {
		const id = await insertFile(platform.db, userId);
		await platform.db.query('alter table public.files disable trigger files_stamp');
		await platform.db.query(`update public.files set changed_xid = '9000000000' where id = $1`, [id]);
		await platform.db.query('alter table public.files enable trigger files_stamp');
		const cursor = await changes.now();
		expect(await changes.restamp()).toBe(1);
		expect(changesOf(await changes.since(userId, cursor)).changes).toMatchObject([{ id }]);
		expect(changesOf(await changes.since(userId, await changes.now())).changes).toEqual([]);
	});
});

function changesOf(answer: Changes) {
	if (answer.kind === 'reset') throw new Error(`reset: ${answer.reason}`);
	return answer;
}

function known(...scopeIds: string[]) {
	return new Map(scopeIds.map((id) => [id, new Map<string, number>()]));
}
