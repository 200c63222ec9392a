// What a server does in the background and a single session does not: without checkpoints the log grows for ever
// (30 inserts of 40 MB left 79 segments of 16 MB), without vacuum dead rows stay, without statistics the planner guesses.
import type { PGlite } from '@electric-sql/pglite';

const tablesInNeed = `
	select format('%I.%I', schemaname, relname) as name from pg_catalog.pg_stat_user_tables
	where n_dead_tup > 500 + 0.2 * n_live_tup or n_mod_since_analyze > 500 + 0.1 * n_live_tup`;

/** `alone` takes the session's lock: others get their turn between two steps. */
export function createMaintenance(
	pg: PGlite,
	alone: <T>(work: () => Promise<T>) => Promise<T>,
	{ maxLogBytes = 32 * 1024 ** 2 } = {}
) {
	let checkpointAt = '0/0';

	async function checkpointWhenDue(): Promise<void> {
		const { rows } = await pg.query<{ at: string; grown: number }>(
			'select at, (at - $1::pg_lsn)::float8 as grown from pg_catalog.pg_current_wal_lsn() as at',
			[checkpointAt]
		);
		const [log] = rows;
		if (!log || log.grown < maxLogBytes) return;
		await pg.exec('checkpoint');
		checkpointAt = log.at;
	}

	return async (): Promise<void> => {
		await alone(checkpointWhenDue);
		const { rows } = await alone(() => pg.query<{ name: string }>(tablesInNeed));
		for (const { name } of rows) await alone(() => pg.exec(`vacuum (analyze) ${name}`));
	};
}
