// The platform on a Postgres server, with as many processes as one likes. What stands beside the database (files,
// sign-in, wake-up) is opened by the caller once the schema is there.
import type { Log } from '../../log.ts';
import { bringUpToDate } from '../migrate.ts';
import type { Db, Platform, Stop } from '../platform.ts';
import { readCapabilities } from './capabilities.ts';
import { PgDb } from './pg-db.ts';
import { createLeadership } from './pg-leader.ts';
import { untilReachable } from './pg-reachable.ts';

export type PostgresOptions = {
	url: string;
	connections: number;
	waitSeconds: number;
	log: Log;
	openParts(db: Db): Promise<Pick<Platform, 'identity' | 'blobs' | 'changes'>>;
};

export async function openPostgres(options: PostgresOptions): Promise<Platform> {
	const { url, connections, waitSeconds, log, openParts } = options;
	const db = new PgDb({ url, connections, log });
	// Its one connection is closed when it has had nothing to do for some seconds.
	const slowDb = new PgDb({ url, connections: 1, statementMs: 0, log });
	try {
		await untilReachable(db, { url, waitSeconds, log });
		await bringUpToDate(db, log);
		const capabilities = await readCapabilities(db);
		if (!capabilities.hasVectors)
			log.warn('this Postgres has no pgvector: search finds words, and nothing by its meaning');
		const stops: Stop[] = [];
		return {
			...(await openParts(db)),
			capabilities,
			db,
			slowDb,
			lead(begin) {
				const stop = createLeadership({ url, log, begin });
				stops.push(stop);
				return stop;
			},
			poolState: () => db.pool(),
			async close() {
				for (const stop of stops) await stop();
				await slowDb.close();
				await db.close();
			}
		};
	} catch (error) {
		await db.close();
		throw error;
	}
}
