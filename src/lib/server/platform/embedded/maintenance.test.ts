import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeDataDir } from '../../../../../tests/support/database.ts';
import { eventually } from '../../../../../tests/support/eventually.ts';
import { useTempFolder } from '../../../../../tests/support/temp-folder.ts';
import { openPgliteDb } from './pglite-db.ts';

const folder = useTempFolder();

test('the log does not grow for ever, dead rows go, and the planner learns what is there', async () => {
	await makeDataDir(folder());
	const db = await openPgliteDb({ dataDir: path.join(folder(), 'db'), maintenanceMs: 100 });
	await db.query('create table public.busy (n integer primary key, s text)');
	for (let i = 0; i < 6; i++) {
		await db.query(
			`insert into public.busy select g, repeat(md5(g::text), 40) from generate_series(1, 15000) g
			 on conflict (n) do update set s = excluded.s || 'x'`
		);
	}
	await eventually(
		async () => {
			const segments = (await readdir(path.join(folder(), 'db/pg_wal'))).filter((name) => name.length === 24);
			expect(segments.length).toBeLessThanOrEqual(6);
			const { rows } = await db.query(
				`select n_dead_tup::integer as dead, (select reltuples from pg_class where oid = relid)::integer as known
				 from pg_stat_user_tables where relname = 'busy'`
			);
			expect(rows).toEqual([{ dead: 0, known: 15000 }]);
		},
		{ timeoutMs: 20_000 }
	);
	await db.close();
});
