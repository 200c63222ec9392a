import type { Db } from './platform.ts';

/**
 * A dump that was loaded into another database brings stamps of its old one. Those that lie ahead of this database's
 * own transactions would look unread to every stream, for ever: they get a stamp of today.
 */
export async function restampRestored(db: Db): Promise<number> {
	const isAhead = (stamp: string) => `${stamp} >= pg_snapshot_xmax(pg_current_snapshot())`;
	return db.tx(async (tx) => {
		const deleted = await tx.query(
			`update asura.deleted_files set changed_xid = pg_current_xact_id() where ${isAhead('changed_xid')}`
		);
		// Its trigger writes the stamp.
		const files = await tx.query(
			`update public.files set changed_xid = changed_xid where ${isAhead('changed_xid')}`
		);
		await tx.query(
			`update asura.stream_horizon set pruned_xid = pg_current_xact_id() where ${isAhead('pruned_xid')}`
		);
		return deleted.rowCount + files.rowCount;
	});
}
