// The platform of tests on a real Postgres: a fresh, migrated database on a server that runs already.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLog } from '#lib/server/log.ts';
import { openDiskBlobs } from '#lib/server/platform/embedded/disk-blobs.ts';
import { createListenFeed } from '#lib/server/platform/listen-feed.ts';
import { migrate } from '#lib/server/platform/migrate.ts';
import { readCapabilities } from '#lib/server/platform/supabase/capabilities.ts';
import { PgDb } from '#lib/server/platform/supabase/pg-db.ts';
import type { PlatformOfTests } from './files.ts';

export async function openPostgresPlatform(serverUrl: string): Promise<PlatformOfTests> {
	const name = `t_${randomUUID().replaceAll('-', '')}`;
	const server = new PgDb({ url: serverUrl, log: silentLog });
	await server.query(`create database ${name}`);
	await server.close();
	const url = new URL(serverUrl);
	url.pathname = `/${name}`;
	const db = new PgDb({ url: url.href, log: silentLog });
	await migrate(db);
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
	return {
		capabilities: await readCapabilities(db),
		db,
		blobs: await openDiskBlobs(folder),
		identity: undefined,
		changes: createListenFeed(db),
		addUser: async (email = `${randomUUID()}@example.org`) => {
			const id = randomUUID();
			await db.query('insert into auth.users (id, email) values ($1, $2)', [id, email]);
			return id;
		},
		close: async () => {
			await db.close();
			await rm(folder, { recursive: true, force: true });
		}
	};
}
