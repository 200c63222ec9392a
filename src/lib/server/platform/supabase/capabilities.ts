import type { Capabilities, Db } from '../platform.ts';

/** Of a migrated database: where pgvector was not to be had, the migration made a stand-in that cannot compare. */
export async function readCapabilities(db: Db): Promise<Capabilities> {
	const { rowCount } = await db.query(`select from pg_catalog.pg_extension where extname = 'vector'`);
	return { name: 'supabase', isExclusive: false, queueBackend: 'postgres', hasVectors: rowCount > 0 };
}
