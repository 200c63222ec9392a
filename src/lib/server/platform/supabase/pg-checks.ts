// What can be wrong with a Postgres before Asura has anything to do with it.
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { type Check, type Finding, note, well, wrong } from '../checks.ts';
import { readScripts } from '../migrate.ts';
import { placeOf, reasonOf } from './pg-reachable.ts';

const answerMs = 5_000;
const listenMs = 3_000;
const oldestVersion = 150_000;
const largestSkewMs = 2_000;
const reachable = 'Database';

type Ask = <T extends object>(sql: string) => Promise<T[]>;
type Look = (ask: Ask, client: Client) => Promise<Finding>;

export function postgresChecks(url: string): Check[] {
	const needs = [reachable];
	const check = (about: string, look: Look): Check => ({ about, needs, look: () => withClient(url, look) });
	return [
		{ about: reachable, look: () => reach(url) },
		check('Postgres version', readVersion),
		check('Schema', compareSchema),
		check('LISTEN', (_, client) => hearOneself(url, client)),
		check('pgvector', findVectors),
		check('Clock', compareClocks),
		check('Connections', countConnections)
	];
}

async function reach(url: string): Promise<Finding> {
	const startedAt = performance.now();
	try {
		await withClient(url, (ask) => ask('select 1'));
		return well(`reachable at ${placeOf(url)}, ${(performance.now() - startedAt).toFixed(0)} ms`);
	} catch (error) {
		const says = `not reachable at ${placeOf(url)}: ${reasonOf(error).reason}`;
		return wrong(says, 'Start the database, or correct DATABASE_URL.');
	}
}

const readVersion: Look = async (ask) => {
	const [row] = await ask<{ number: number; name: string }>(
		`select current_setting('server_version_num')::int as number, current_setting('server_version') as name`
	);
	if (row && row.number >= oldestVersion) return well(row.name);
	return wrong(row?.name ?? 'unknown', 'Asura needs Postgres 15 or newer.');
};

const compareSchema: Look = async (ask) => {
	const [there] = await ask<{ it: string | null }>(`select to_regclass('asura.migrations')::text as it`);
	if (!there?.it) return wrong('nothing of Asura is in it', 'Start Asura once: it makes its schema.');
	const applied = new Map(
		(await ask<{ name: string; checksum: string }>('select name, checksum from asura.migrations')).map(
			(row) => [row.name, row.checksum]
		)
	);
	const scripts = (await readScripts()).filter(({ name }) => name !== 'shim.sql');
	const changed = scripts.filter(({ name, checksum }) => (applied.get(name) ?? checksum) !== checksum);
	if (changed[0]) return wrong(`${changed[0].name} is not what was applied`, 'Restore that file as it was.');
	const missing = scripts.filter(({ name }) => !applied.has(name)).length;
	if (missing === 0) return well(`up to date, ${scripts.length} migrations`);
	return wrong(`${missing} of ${scripts.length} migrations are missing`, 'Start Asura: it applies them.');
};

/** A pooler that hands each transaction to another connection takes a LISTEN and never delivers anything. */
async function hearOneself(url: string, listener: Client): Promise<Finding> {
	const heard = new Promise<boolean>((resolve) => listener.on('notification', () => resolve(true)));
	await listener.query('listen asura_doctor');
	await withClient(url, (ask) => ask(`select pg_notify('asura_doctor', '')`));
	const waiting = new AbortController();
	const tooLate = delay(listenMs, false, { signal: waiting.signal }).catch(() => false);
	const isHeard = await Promise.race([heard, tooLate]);
	waiting.abort();
	if (isHeard) return well('notifications arrive');
	return wrong(
		'notifications do not arrive: this is a pooler of transactions',
		'Use a direct connection or a session pooler (on Supabase port 5432, not 6543) in DATABASE_URL.'
	);
}

const findVectors: Look = async (ask) => {
	const rows = await ask<{ installed: string | null }>(
		`select installed_version as installed from pg_available_extensions where name = 'vector'`
	);
	if (rows[0]?.installed) return well(rows[0].installed);
	if (rows[0]) {
		const todo = `Run: create extension vector with schema extensions; before Asura's first start.`;
		return note('there, and not used by this database', todo);
	}
	return note('not there: search finds words, and nothing by its meaning', 'Install pgvector on the server.');
};

const compareClocks: Look = async (ask) => {
	const before = Date.now();
	const [row] = await ask<{ ms: number }>(
		'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms'
	);
	const skewMs = Math.abs((row?.ms ?? 0) - (before + Date.now()) / 2);
	const says = `${(skewMs / 1000).toFixed(1)} s apart`;
	return skewMs <= largestSkewMs
		? well(says)
		: wrong(says, 'Set both clocks by NTP: sessions end by the clock.');
};

const countConnections: Look = async (ask) => {
	const [row] = await ask<{ used: number; most: number }>(
		`select (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
			current_setting('max_connections')::int as most`
	);
	const { used = 0, most = 0 } = row ?? {};
	const says = `${used} of ${most} in use`;
	return used < most * 0.8 ? well(says) : note(says, 'Lower DATABASE_CONNECTIONS, or allow more.');
};

async function withClient<T>(url: string, work: (ask: Ask, client: Client) => Promise<T>): Promise<T> {
	const client = new Client({
		connectionString: url,
		connectionTimeoutMillis: answerMs,
		query_timeout: answerMs,
		application_name: 'asura doctor'
	});
	// A connection that breaks is told by the question that was under way.
	client.on('error', () => undefined);
	try {
		await client.connect();
		return await work(async <R extends object>(sql: string) => (await client.query<R>(sql)).rows, client);
	} finally {
		await client.end();
	}
}
