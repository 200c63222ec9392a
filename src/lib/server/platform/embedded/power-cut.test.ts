// What the README promises for a power cut, held against a disk that keeps nothing it was not told to keep.
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { describe, expect, test, vi } from 'vitest';
import { watchSyncs } from '../../../../../tests/support/power-cut.ts';
import { useTempFolder } from '../../../../../tests/support/temp-folder.ts';
import { DurableFs, durableStart } from './durable-fs.ts';
import { makeDatabaseOnce } from './new-database.ts';

// Processes, databases, whole folders: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 });

if (process.platform === 'linux') describe('after a power cut', suite);
else test('after a power cut', ({ skip }) => skip('the test asks /proc which files were synced'));

function suite(): void {
	const folder = useTempFolder();
	const onAbort = () => {
		throw new Error('the engine gave up');
	};

	/** Works, counts what was answered, and looks at what is left on the disk without ever closing the database. */
	async function cut(
		startParams: readonly string[],
		work: (pg: PGlite, acknowledged: number[]) => Promise<void>
	) {
		const database = path.join(folder(), 'db');
		await makeDatabaseOnce(database);
		const disk = watchSyncs(database);
		const pg = await PGlite.create({
			fs: new DurableFs(database, { onAbort, sync: disk.sync }),
			startParams: [...startParams]
		});
		const acknowledged: number[] = [];
		await work(pg, acknowledged);
		const left = path.join(folder(), 'left');
		disk.leaveBehind(left);
		await pg.close();
		const after = await PGlite.create({ fs: new DurableFs(left, { onAbort }), startParams: durableStart });
		return { acknowledged, after };
	}

	async function addRows(pg: PGlite, acknowledged: number[], count: number) {
		for (let i = 0; i < count; i++) {
			const n = acknowledged.length;
			await pg.query(`insert into t values ($1, repeat(md5($1::integer::text), 40))`, [n]);
			acknowledged.push(n);
		}
	}

	async function readRows(pg: PGlite): Promise<number[]> {
		const { rows } = await pg.query<{ n: number }>('select n from t order by n');
		return rows.map((row) => row.n);
	}

	test('every acknowledged row is there, before and after checkpoints, and every index agrees with its table', async () => {
		const { acknowledged, after } = await cut(durableStart, async (pg, rows) => {
			await pg.exec('create table t (n integer primary key, s text); create index t_s on t (s)');
			await addRows(pg, rows, 12);
			await pg.exec('checkpoint');
			await addRows(pg, rows, 12);
			await pg.exec(`create index t_md5 on t (md5(s)); checkpoint; select pg_switch_wal()`);
			await addRows(pg, rows, 12);
		});
		expect(await readRows(after)).toEqual(acknowledged);
		await after.exec('set enable_seqscan = off');
		for (const n of acknowledged) {
			const { rows } = await after.query(`select n from t where s = repeat(md5($1::integer::text), 40)`, [n]);
			expect(rows).toEqual([{ n }]);
		}
		await after.close();
	});

	test('(the control: with the log not really synced, the database cannot even be opened again)', async () => {
		const onlySwitchedOn = PGlite.defaultStartParams.filter((one) => one !== '-F');
		const ruined = cut(onlySwitchedOn, async (pg, rows) => {
			await pg.exec('create table t (n integer primary key, s text); checkpoint');
			await addRows(pg, rows, 12);
		});
		await expect(ruined).rejects.toThrow('the engine gave up');
	});
}
