import { describe } from 'vitest';
import { describeNeverLost } from '../../../../tests/contract/never-lost.ts';
import { findPostgres, startPostgres } from '../../../../tests/support/postgres.ts';
import { silentLog } from '../log.ts';
import { createListenFeed } from '../platform/listen-feed.ts';
import { migrate } from '../platform/migrate.ts';
import type { Platform } from '../platform/platform.ts';
import { readCapabilities } from '../platform/supabase/capabilities.ts';
import { PgDb } from '../platform/supabase/pg-db.ts';

const postgres = await findPostgres();
const reason = 'reason' in postgres ? ` (skipped: ${postgres.reason})` : '';

describe.skipIf(reason !== '')(`writers that overlap${reason}`, () => {
	describeNeverLost('Postgres', openPlatform, { runs: 12 });
});

async function openPlatform(): Promise<Platform> {
	const server = await startPostgres('bin' in postgres ? postgres.bin : '');
	const db = new PgDb({ url: server.url, log: silentLog });
	await migrate(db);
	return {
		db,
		capabilities: await readCapabilities(db),
		changes: createListenFeed(db),
		get blobs(): never {
			throw new Error('these tests keep no blobs');
		},
		identity: undefined,
		close: async () => {
			await db.close();
			await server.close();
		}
	};
}
