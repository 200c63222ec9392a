import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { restampRestored } from './restamp.ts';

let platform: TestPlatform;
beforeAll(async () => {
	platform = await openTestPlatform();
});
afterAll(() => platform.close());

test('rows of a restored dump that lie ahead of this database are stamped anew, the others are left alone', async () => {
	const { db } = platform;
	const user = await platform.addUser();
	const insert = `insert into public.files (user_id, blob_id, filename, file_type, size_bytes, sha256)
		values ($1, gen_random_uuid(), $2, 'text/plain', 1, repeat('0', 64))`;
	for (const name of ['here', 'restored']) await db.query(insert, [user, name]);
	// As a dump is loaded: without triggers.
	await db.query(`
		set session_replication_role = replica;
		update public.files set changed_xid = '999999999' where filename = 'restored';
		insert into asura.deleted_files (id, user_id, scope_id, rev, changed_xid)
			values (gen_random_uuid(), '${user}', '${user}', 1, '999999999');
		update asura.stream_horizon set pruned_xid = '999999999';
		set session_replication_role = origin`);

	expect(await restampRestored(db)).toBe(2);
	const { rows } = await db.query(`
		select f.filename, f.rev::integer, f.changed_xid < pg_snapshot_xmax(pg_current_snapshot()) as past
		from public.files f order by 1`);
	expect(rows).toEqual([
		{ filename: 'here', rev: 1, past: true },
		{ filename: 'restored', rev: 2, past: true }
	]);
	const horizon = await db.query('select from asura.stream_horizon where pruned_xid < pg_current_xact_id()');
	expect(horizon.rowCount).toBe(1);
	expect(await restampRestored(db)).toBe(0);
});
