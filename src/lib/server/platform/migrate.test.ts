import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findMigratedDump } from '../../../../tests/support/database.ts';
import { ConfigError } from '../config.ts';
import { openPgliteDb, type PgliteDb } from './embedded/pglite-db.ts';
import { migrate, readScripts, type Script } from './migrate.ts';

let db: PgliteDb;
beforeEach(async () => {
	db = await openPgliteDb({ loadFrom: await findMigratedDump() });
});
afterEach(() => db.close());

const script = (name: string, sql: string): Script => ({
	name,
	sql,
	checksum: createHash('sha256').update(sql).digest('hex')
});
const shim = script('test-shim.sql', 'create schema if not exists brought');
const one = script('1.sql', 'create table brought.one (n integer); insert into brought.one values (1)');
const two = script('2.sql', 'insert into brought.one values (2)');
const values = async () =>
	(await db.query<{ n: number }>('select n from brought.one order by n')).rows.map(({ n }) => n);

test('the real ones bring an empty database to the schema, and a second time do nothing', async () => {
	const empty = await openPgliteDb();
	const names = (await readScripts()).map(({ name }) => name);
	expect(await migrate(empty)).toEqual({ applied: names });
	expect(await migrate(empty)).toEqual({ applied: [] });
	await empty.query('select id from public.files');
	// What Realtime asks before it shows a row to whoever holds the secret key.
	const { rows } = await empty.query(
		`select has_table_privilege('service_role', 'public.files', 'select') as may_read`
	);
	expect(rows).toEqual([{ may_read: true }]);
	await empty.close();
});

test('each runs once, in its order, the shim first; new ones run later', async () => {
	expect(await migrate(db, [shim, one])).toEqual({ applied: ['test-shim.sql', '1.sql'] });
	expect(await migrate(db, [shim, one, two])).toEqual({ applied: ['2.sql'] });
	expect(await values()).toEqual([1, 2]);
});

test('two processes that start at the same time apply each once', async () => {
	const results = await Promise.all([migrate(db, [shim, one, two]), migrate(db, [shim, one, two])]);
	expect(results.flatMap(({ applied }) => applied).sort()).toEqual(['1.sql', '2.sql', 'test-shim.sql']);
	expect(await values()).toEqual([1, 2]);
});

test('one that fails leaves nothing, says which it is, and runs when it has been mended', async () => {
	const broken = script('2.sql', 'insert into brought.one values (2); select 1 / 0');
	await expect(migrate(db, [shim, one, broken])).rejects.toThrow(
		'The migration 2.sql failed: division by zero'
	);
	expect(await values()).toEqual([1]);
	expect(await migrate(db, [shim, one, two])).toEqual({ applied: ['2.sql'] });
});

test('one that was changed after it had been applied is refused, with a sentence that names it', async () => {
	await migrate(db, [shim, one]);
	const changed = script('1.sql', 'create table brought.one (n bigint)');
	const refused = migrate(db, [shim, changed, two]);
	await expect(refused).rejects.toThrow(/^The migration 1\.sql was changed after/);
	await expect(refused).rejects.toBeInstanceOf(ConfigError);
	expect(await values()).toEqual([1]);
});

test('the shim runs again when it has changed', async () => {
	await migrate(db, [shim, one]);
	const changed = script(
		'test-shim.sql',
		'create schema if not exists brought; create schema if not exists more'
	);
	expect(await migrate(db, [changed, one])).toEqual({ applied: ['test-shim.sql'] });
});

describe('on Supabase', () => {
	const [first, second] = [
		script('20261120000001_one.sql', 'create table public.one (n integer)'),
		script('20261120000002_two.sql', 'create table public.two (n integer)')
	];
	const pushed = async () =>
		(await db.query('select version, name from supabase_migrations.schema_migrations order by 1')).rows;
	// Roles are the server's; in this process it is a server of one test.
	beforeEach(() => db.query('create role supabase_auth_admin'));

	test('what `supabase db push` has applied is not applied again, and never the shim', async () => {
		await db.query(`
			create schema supabase_migrations;
			create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
			insert into supabase_migrations.schema_migrations (version, name) values ('20261120000001', 'one');`);
		await db.query(first.sql);
		expect(await migrate(db, [shim, first, second])).toEqual({ applied: [second.name] });
		expect(await migrate(db, [shim, first, second])).toEqual({ applied: [] });
	});

	test('what is applied at a start is known to the next push', async () => {
		await migrate(db, [shim, first, second]);
		expect(await pushed()).toEqual([
			{ version: '20261120000001', name: 'one' },
			{ version: '20261120000002', name: 'two' }
		]);
	});
});
