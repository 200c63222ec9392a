// Brings a database to the schema in supabase/: first the shim (only off Supabase), then every migration in order,
// once, each in its own transaction together with the record of it. Several processes may start at the same time.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Db, Tx } from './platform.ts';
import { restampRestored } from './restamp.ts';

const folder = new URL('../../../../supabase/', import.meta.url);
const lockNumber = 27_182_818;

export type Script = { name: string; sql: string; checksum: string };

/** For a process that starts: the schema, and the stamps of a dump that was restored. */
export async function bringUpToDate(db: Db, log: Log): Promise<void> {
	const { applied } = await migrate(db);
	if (applied.length > 0) log.info({ applied }, 'the schema was brought up to date');
	const restamped = await restampRestored(db);
	if (restamped > 0) log.info({ restamped }, 'rows of a restored dump were stamped anew');
}

/** `scripts`: the shim first, then the migrations in order. */
export async function migrate(db: Db, scripts?: readonly Script[]): Promise<{ applied: string[] }> {
	const [shim, ...migrations] = scripts ?? (await readScripts());
	const applied: string[] = [];
	await db.tx(prepare);
	const isOnSupabase = await isSupabase(db);
	if (isOnSupabase) await db.tx((tx) => adoptPushed(tx, migrations));
	if (shim && !isOnSupabase && (await db.tx((tx) => applyShim(tx, shim)))) applied.push(shim.name);
	for (const migration of migrations) {
		const apply = async (tx: Tx) => {
			const isNew = await applyOnce(tx, migration);
			if (isNew && isOnSupabase) await tellCli(tx, migration);
			return isNew;
		};
		if (await db.tx(apply)) applied.push(migration.name);
	}
	return { applied };
}

export async function readScripts(): Promise<Script[]> {
	const names = (await readdir(new URL('migrations/', folder)))
		.filter((name) => name.endsWith('.sql'))
		.sort();
	return Promise.all(['shim.sql', ...names.map((name) => `migrations/${name}`)].map(readScript));
}

async function readScript(file: string): Promise<Script> {
	const sql = await readFile(fileURLToPath(new URL(file, folder)), 'utf8');
	return {
		name: file.replace('migrations/', ''),
		sql,
		checksum: createHash('sha256').update(sql).digest('hex')
	};
}

async function prepare(tx: Tx): Promise<void> {
	await takeLock(tx);
	await tx.query(`
		create schema if not exists asura;
		create table if not exists asura.migrations (
			name text primary key,
			checksum text not null,
			applied_at timestamptz not null default now()
		);
		alter table asura.migrations enable row level security;`);
}

/** Idempotent, so it simply runs again when it has changed. */
async function applyShim(tx: Tx, shim: Script): Promise<boolean> {
	await takeLock(tx);
	if ((await findChecksum(tx, shim.name)) === shim.checksum) return false;
	await tx.query(shim.sql);
	await tx.query(
		`insert into asura.migrations (name, checksum) values ($1, $2)
		 on conflict (name) do update set checksum = excluded.checksum, applied_at = now()`,
		[shim.name, shim.checksum]
	);
	return true;
}

async function applyOnce(tx: Tx, { name, sql, checksum }: Script): Promise<boolean> {
	await takeLock(tx);
	const known = await findChecksum(tx, name);
	if (known === checksum) return false;
	if (known) {
		throw new ConfigError(
			`The migration ${name} was changed after it had been applied to this database. ` +
				'Restore the file as it was and put the change into a new migration.'
		);
	}
	try {
		await tx.query(sql);
	} catch (cause) {
		const todo = /create extension/.test(messageOf(cause))
			? '. Let a superuser run in this database: create schema if not exists extensions authorization <this role>; create extension vector with schema extensions;'
			: '';
		throw new ConfigError(`The migration ${name} failed: ${messageOf(cause)}${todo}`, { cause });
	}
	await tx.query('insert into asura.migrations (name, checksum) values ($1, $2)', [name, checksum]);
	return true;
}

/** What `supabase db push` has applied is not applied again; its record has no checksums, so they are today's. */
async function adoptPushed(tx: Tx, migrations: readonly Script[]): Promise<void> {
	await takeLock(tx);
	await tx.query(`
		create schema if not exists supabase_migrations;
		create table if not exists supabase_migrations.schema_migrations (
			version text primary key, statements text[], name text
		);`);
	const { rows } = await tx.query<{ version: string }>(
		'select version from supabase_migrations.schema_migrations'
	);
	const pushed = new Set(rows.map(({ version }) => version));
	for (const { name, checksum } of migrations) {
		if (!pushed.has(versionOf(name))) continue;
		await tx.query(
			'insert into asura.migrations (name, checksum) values ($1, $2) on conflict (name) do nothing',
			[name, checksum]
		);
	}
}

/** So that the next `supabase db push` does not apply it again. */
async function tellCli(tx: Tx, { name, sql }: Script): Promise<void> {
	const [version, title] = [versionOf(name), name.replace(/^\d+_|\.sql$/g, '')];
	await tx.query(
		`insert into supabase_migrations.schema_migrations (version, name, statements)
		 values ($1, $2, array[$3::text]) on conflict (version) do nothing`,
		[version, title, sql]
	);
}

function versionOf(name: string): string {
	return name.split('_', 1)[0] ?? name;
}

async function takeLock(tx: Tx): Promise<void> {
	// Waiting for another process's migration, and a large one itself, may take longer than any other statement.
	await tx.query(`select pg_catalog.set_config('statement_timeout', '0', true)`);
	await tx.query('select pg_advisory_xact_lock($1)', [lockNumber]);
}

async function findChecksum(tx: Tx, name: string): Promise<string | undefined> {
	const { rows } = await tx.query<{ checksum: string }>(
		'select checksum from asura.migrations where name = $1',
		[name]
	);
	return rows[0]?.checksum;
}

async function isSupabase(db: Db): Promise<boolean> {
	const { rowCount } = await db.query(`select from pg_roles where rolname = 'supabase_auth_admin'`);
	return rowCount > 0;
}
