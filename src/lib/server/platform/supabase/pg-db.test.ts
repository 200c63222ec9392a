// PgDb on a real Postgres of this machine.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dbContract } from '../../../../../tests/contract/db.ts';
import { rowSecurityContract } from '../../../../../tests/contract/row-security.ts';
import { eventually } from '../../../../../tests/support/eventually.ts';
import { findPostgres, type PostgresServer, startPostgres } from '../../../../../tests/support/postgres.ts';
import { silentLog } from '../../log.ts';
import { migrate } from '../migrate.ts';
import { readCapabilities } from './capabilities.ts';
import { PgDb } from './pg-db.ts';

const postgres = await findPostgres();

if ('bin' in postgres) describe('on Postgres', () => suite(postgres.bin));
else test('PgDb on a Postgres server', ({ skip }) => skip(postgres.reason));

function suite(bin: string): void {
	let server: PostgresServer;
	beforeAll(async () => {
		server = await startPostgres(bin);
	});
	afterAll(() => server?.close());

	const open = (options: { idleTransactionMs?: number; connections?: number; url?: string } = {}) =>
		new PgDb({ url: server.url, log: silentLog, ...options });

	test('several processes that start at the same time bring the schema up to date once', async () => {
		const processes = [open(), open(), open()];
		const results = await Promise.all(processes.map((db) => migrate(db)));
		const applied = results.flatMap((result) => result.applied);
		expect(applied.length).toBeGreaterThan(1);
		expect(new Set(applied).size).toBe(applied.length);
		await Promise.all(processes.map((db) => db.close()));
	});

	test('without pgvector everything is there but the comparing of vectors', async () => {
		const db = open();
		const { rowCount } = await db.query(isVectorThereSql);
		expect(await readCapabilities(db)).toMatchObject({
			hasVectors: rowCount > 0,
			queueBackend: 'postgres'
		});
		await db.query(`select '[1,2,3]'::extensions.vector`);
		await db.close();
	});

	test('a statement that takes too long is ended, and the connection goes on', async () => {
		const db = new PgDb({ url: server.url, log: silentLog, statementMs: 200, connections: 1 });
		await expect(db.query('select pg_sleep(30)')).rejects.toMatchObject({ code: '57014' });
		await expect(db.tx((tx) => tx.query('select pg_sleep(30)'))).rejects.toMatchObject({ code: '57014' });
		expect((await db.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
		await db.close();
	});

	test('its connections ask for nothing that PgBouncer refuses, and have their limits all the same', async () => {
		const said = Promise.withResolvers<string[]>();
		const pooler = createServer((socket) => {
			socket.once('data', (startup) => {
				said.resolve(startup.subarray(8).toString().split('\0'));
				socket.destroy();
			});
		}).listen(0, '127.0.0.1');
		await once(pooler, 'listening');
		const { port } = pooler.address() as AddressInfo;
		const through = open({ url: `postgres://ada@127.0.0.1:${port}/asura` });
		await expect(through.query('select 1')).rejects.toMatchObject({ code: 'server.unavailable' });
		const names = (await said.promise).filter((name, i) => i % 2 === 0 && name !== '');
		expect(names.toSorted()).toEqual(['application_name', 'client_encoding', 'database', 'user']);
		await through.close();
		await new Promise((resolve) => pooler.close(resolve));

		const db = open();
		const { rows } = await db.query(`select current_setting('statement_timeout') as statement,
			current_setting('idle_in_transaction_session_timeout') as idle, current_setting('jit') as jit`);
		expect(rows).toEqual([{ statement: '1min', idle: '10s', jit: 'off' }]);
		await db.close();
	});

	test('a role without superuser rights is enough, if it may make roles and owns its database', async () => {
		const admin = open();
		await admin.query(`create role asura login createrole`);
		await admin.query('create database own owner asura');
		await admin.close();
		const url = new URL(server.url);
		Object.assign(url, { username: 'asura', pathname: '/own' });
		const db = new PgDb({ url: url.href, log: silentLog });
		if ((await db.query(isVectorThereSql)).rowCount > 0) {
			await expect(migrate(db)).rejects.toThrow('Let a superuser run in this database: create schema');
			const inside = open({ url: Object.assign(new URL(server.url), { pathname: '/own' }).href });
			await inside.query(`create schema if not exists extensions authorization asura;
				create extension vector with schema extensions`);
			await inside.close();
		}
		await migrate(db);
		const asUser = { as: { userId: '00000000-0000-4000-8000-000000000000' } };
		expect((await db.tx((tx) => tx.query('select from public.files'), asUser)).rowCount).toBe(0);
		await db.close();
	});

	const openMigrated = async (options: { idleTransactionMs?: number } = {}) => {
		const db = open(options);
		await migrate(db);
		return db;
	};
	dbContract('PgDb', { open: openMigrated });
	rowSecurityContract('PgDb', openMigrated);

	test('more transactions than connections wait for their turn', async () => {
		const db = open({ connections: 2 });
		let running = 0;
		let most = 0;
		const results = Array.from({ length: 10 }, (_, i) =>
			db.tx(async (tx) => {
				most = Math.max(most, ++running);
				await tx.query('select pg_sleep(0.01)');
				running--;
				return i;
			})
		);
		expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
		expect(most).toBe(2);
		await db.close();
	});

	test('a server that comes back is used again; listeners are told that they may have missed something', async () => {
		const db = open();
		const heard: string[] = [];
		await db.listen('bell', (payload) => heard.push(payload));
		await db.notify('bell', 'before');
		await eventually(() => expect(heard).toEqual(['before']));
		await server.stop();
		await expect(db.query('select 1')).rejects.toThrow();
		await server.start();
		await eventually(() => db.query('select 1'), { timeoutMs: 10_000 });
		await eventually(() => expect(heard).toEqual(['before', '']), { timeoutMs: 10_000 });
		await db.notify('bell', 'after');
		await eventually(() => expect(heard).toEqual(['before', '', 'after']));
		await db.close();
	});

	test('a connection that breaks in the middle of a statement or a transaction fails it, and nothing else', async () => {
		const db = open();
		const other = open();
		const breakIt = (pid: unknown) => other.query('select pg_terminate_backend($1)', [pid]);
		const transaction = db.tx(async (tx) => {
			const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
			await breakIt(rows[0]?.pid);
			await new Promise(() => undefined);
		});
		await expect(transaction).rejects.toThrow(/terminating connection/);
		const statement = expect(db.query(`select pg_sleep(20) as asura_sleeps`)).rejects.toThrow();
		await eventually(async () => {
			const found = `select pid from pg_stat_activity where query like '%asura%sleeps' and state = 'active' and pid <> pg_backend_pid()`;
			const { rows } = await other.query<{ pid: number }>(found);
			expect(rows).toHaveLength(1);
			await breakIt(rows[0]?.pid);
		});
		await statement;
		expect((await db.tx((tx) => tx.query('select 1 as n'))).rows).toEqual([{ n: 1 }]);
		await other.close();
		await db.close();
	});
}

const isVectorThereSql = `select from pg_available_extensions where name = 'vector'`;
