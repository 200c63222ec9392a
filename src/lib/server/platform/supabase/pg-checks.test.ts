import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDeafPooler } from '../../../../../tests/support/deaf-pooler.ts';
import { findPostgres, type PostgresServer, startPostgres } from '../../../../../tests/support/postgres.ts';
import { silentLog } from '../../log.ts';
import { type Checked, runChecks } from '../checks.ts';
import { migrate } from '../migrate.ts';
import { postgresChecks } from './pg-checks.ts';
import { PgDb } from './pg-db.ts';

const postgres = await findPostgres();
const why = 'reason' in postgres ? ` (skipped: ${postgres.reason})` : '';
const check = (url: string) => runChecks(postgresChecks(url));
const about = (checked: Checked[], name: string) => checked.find((one) => one.about === name);

it('looks no further when there is no database, and does not tell the password', async () => {
	const checked = await check('postgres://ada:very-secret@127.0.0.1:1/asura');
	expect(checked).toMatchObject([{ about: 'Database', state: 'wrong' }]);
	expect(JSON.stringify(checked)).toContain('127.0.0.1:1/asura');
	expect(JSON.stringify(checked)).not.toContain('very-secret');
});

describe.skipIf('reason' in postgres)(`a Postgres${why}`, () => {
	let server: PostgresServer;
	beforeAll(async () => {
		server = await startPostgres('bin' in postgres ? postgres.bin : '');
	});
	afterAll(() => server?.close());

	it('is told that it has not been migrated, that a migration is missing, and that one was changed', async () => {
		expect(about(await check(server.url), 'Schema')?.says).toBe('nothing of Asura is in it');
		const db = new PgDb({ url: server.url, log: silentLog });
		await migrate(db);
		expect(about(await check(server.url), 'Schema')?.state).toBe('well');
		await db.query(`delete from asura.migrations where name like '%_core.sql'`);
		expect(about(await check(server.url), 'Schema')?.says).toMatch(/^1 of \d+ migrations are missing$/);
		await db.query(`update asura.migrations set checksum = 'x' where name like '%_events.sql'`);
		expect(about(await check(server.url), 'Schema')?.says).toContain('is not what was applied');
		await db.close();
	});

	it('is heard, unless a pooler of transactions stands in between', async () => {
		expect(about(await check(server.url), 'LISTEN')?.state).toBe('well');
		const pooler = await startDeafPooler(server);
		const checked = await check(pooler.url);
		expect(about(checked, 'Database')?.state).toBe('well');
		expect(about(checked, 'LISTEN')).toMatchObject({ state: 'wrong' });
		expect(about(checked, 'LISTEN')?.todo).toContain('session pooler');
		pooler.close();
	});
});
