// The platform of tests on a real Postgres: a fresh, migrated database on a server that runs already.
import { randomUUID } from 'node:crypto';
import { silentLog } from '#lib/server/log.ts';
import { migrate } from '#lib/server/platform/migrate.ts';
import { readCapabilities } from '#lib/server/platform/supabase/capabilities.ts';
import { PgDb } from '#lib/server/platform/supabase/pg-db.ts';
import { type PlatformOfTests, testPlatformOn } from './database.ts';

export async function openPostgresPlatform(serverUrl: string): Promise<PlatformOfTests<PgDb>> {
	const name = `t_${randomUUID().replaceAll('-', '')}`;
	const server = new PgDb({ url: serverUrl, log: silentLog });
	await server.query(`create database ${name}`);
	await server.close();
	const url = new URL(serverUrl);
	url.pathname = `/${name}`;
	const db = new PgDb({ url: url.href, log: silentLog });
	await migrate(db);
	return testPlatformOn(db, await readCapabilities(db));
}
