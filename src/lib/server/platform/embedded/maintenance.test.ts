import { readFile } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { expect, test } from 'vitest';
import { findMigratedDump } from '../../../../../tests/support/database.ts';
import { createMaintenance } from './maintenance.ts';

test('the log is cut off when it has grown, dead rows go, and the planner learns what is there', async () => {
	const pg = await PGlite.create({
		extensions: { vector },
		loadDataDir: new Blob([await readFile(await findMigratedDump())])
	});
	const maintain = createMaintenance(pg, (work) => work(), { maxLogBytes: 1_000_000 });
	const checkpoint = async () =>
		(await pg.query<{ at: string }>('select redo_lsn::text as at from pg_control_checkpoint()')).rows[0]?.at;
	await maintain();
	const before = await checkpoint();
	await maintain();
	expect(await checkpoint()).toBe(before);

	await pg.exec(`
		create table public.busy (n integer primary key, s text);
		insert into public.busy select g, repeat('x', 500) from generate_series(1, 3000) g;
		update public.busy set s = s || 'y'`);
	// What a session did is counted some time later; this is how it is told at once.
	await pg.exec('select pg_stat_force_next_flush()');
	await maintain();
	expect(await checkpoint()).not.toBe(before);
	const { rows } = await pg.query(`
		select n_dead_tup::integer as dead, (select reltuples from pg_class where oid = relid)::integer as known
		from pg_stat_user_tables where relname = 'busy'`);
	expect(rows).toEqual([{ dead: 0, known: 3000 }]);
	await pg.close();
});
