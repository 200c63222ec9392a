import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { dbContract } from '../../../../../tests/contract/db.ts';
import { findMigratedDump } from '../../../../../tests/support/database.ts';
import { useTempFolder } from '../../../../../tests/support/temp-folder.ts';
import { openPgliteDb } from './pglite-db.ts';

dbContract('PgliteDb', {
	open: async ({ idleTransactionMs }) =>
		openPgliteDb({ loadFrom: await findMigratedDump(), idleTransactionMs })
});

describe('when the database engine gives up', () => {
	const folder = useTempFolder();

	test('everybody who waits is told at once, and so is everybody who comes later', async () => {
		const crashes: Error[] = [];
		const dataDir = path.join(folder(), 'db');
		const db = await openPgliteDb({ dataDir, onCrash: (error) => crashes.push(error) });
		await db.query('create table t (n integer)');
		await rm(path.join(dataDir, 'pg_wal'), { recursive: true });
		const writes = [
			db.query('select pg_switch_wal()'),
			db.tx((tx) => tx.query('insert into t values (1)')),
			db.query('insert into t values (2)'),
			db.query('select 1')
		];
		const results = await Promise.allSettled(writes);
		expect(results.at(-1)).toMatchObject({
			reason: { message: expect.stringMatching(/^The database has stopped: could not .*pg_wal/) }
		});
		await expect(db.query('select 1')).rejects.toThrow(/has stopped/);
		expect(crashes).toHaveLength(1);
		await db.close();
	});
});

test('the thread of the server stays free while a statement takes long', async () => {
	const db = await openPgliteDb({ loadFrom: await findMigratedDump() });
	let longestMs = 0;
	let last = performance.now();
	const timer = setInterval(() => {
		longestMs = Math.max(longestMs, performance.now() - last);
		last = performance.now();
	}, 1);
	const started = performance.now();
	await db.query(`select count(*) from generate_series(1, 3000000) as g(n) where md5(n::text) like 'abc%'`);
	clearInterval(timer);
	expect(longestMs).toBeLessThan((performance.now() - started) / 4);
	await db.close();
});
