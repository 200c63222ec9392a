// pg-boss over our Db port. Six lines of our own instead of its PGlite adapter: that one's bare ROLLBACK would end
// a neighbour's transaction on a shared handle.
import { type Db as BossDb, PgBoss } from 'pg-boss';
import type { Log } from '../log.ts';
import type { Capabilities, Db, Queryable, Tx } from '../platform/platform.ts';

export const schema = 'pgboss';
const schemaLock = 27_182_820;

export type BossOptions = {
	db: Db;
	capabilities: Pick<Capabilities, 'queueBackend' | 'isExclusive'>;
	log: Log;
};

export function makeBoss({ db, capabilities, log }: BossOptions): PgBoss {
	// Somebody else's worker can die while we live; our own can only die with us, and the next start sees to that.
	const watchSeconds = capabilities.isExclusive ? 60 : 5;
	const boss = new PgBoss({
		db: { ...over(db), listen: (channel, onNotify, onReady) => listen(db, channel, onNotify, onReady) },
		schema,
		backend: capabilities.queueBackend,
		useListenNotify: true,
		schedule: false,
		registerInstance: false,
		reindex: false,
		monitorVacuum: false,
		superviseIntervalSeconds: watchSeconds,
		monitorIntervalSeconds: watchSeconds
	});
	boss.on('error', (error) => log.error({ err: error }, 'the queue reports an error'));
	boss.on('warning', (warning) => log.warn({ warning }, 'the queue warns'));
	return boss;
}

/** Before pg-boss does it: of several processes that do so at the same moment, it lets one fail. */
export async function makeSchema(tx: Tx): Promise<void> {
	await tx.query('select pg_catalog.pg_advisory_xact_lock($1)', [schemaLock]);
	await tx.query(`create schema if not exists ${schema}`);
}

/** Statements of pg-boss through `on`, which may be an open transaction. */
export function over(on: Queryable): BossDb {
	return { executeSql: (sql, values) => on.query(sql, values) };
}

async function listen(db: Db, channel: string, onNotify: (payload: string) => void, onReady: () => void) {
	const stop = await db.listen(channel, onNotify);
	onReady();
	return { close: stop };
}
