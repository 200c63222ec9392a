// A cursor is `<epoch>.<position>`. The position is a transaction id: everything older has been delivered. It stays a
// string, since xid8 does not fit a JavaScript number. The epoch names the database that counts: a position means
// nothing in another one.
import { randomBytes } from 'node:crypto';
import type { Queryable } from '../platform/platform.ts';

const pattern = /^([a-z0-9-]{1,60})\.(\d{1,20})$/;
const largestXid = 2n ** 64n - 1n;

export type Cursor = { epoch: string; position: string };

export function parseCursor(text: string): Cursor | undefined {
	const [, epoch, position] = pattern.exec(text) ?? [];
	if (epoch === undefined || position === undefined || BigInt(position) > largestXid) return undefined;
	return { epoch, position };
}

export function formatCursor({ epoch, position }: Cursor): string {
	return `${epoch}.${position}`;
}

/** An embedded database can be put back to an older copy of itself between two starts, so each start is an epoch. */
export function newEpoch(): string {
	return `e${randomBytes(6).toString('hex')}`;
}

/**
 * A server keeps its identity over restarts and changes its timeline when it is restored or a replica takes over. A dump
 * that was loaded has made the table anew.
 */
export async function readServerEpoch(db: Queryable): Promise<string> {
	const { rows } = await db.query<{ epoch: string }>(
		`select system_identifier::text || '-' || timeline_id::text || '-' || 'public.files'::regclass::oid::text as epoch
		 from pg_catalog.pg_control_system(), pg_catalog.pg_control_checkpoint()`
	);
	const epoch = rows[0]?.epoch;
	if (epoch === undefined) throw new Error('The database does not tell its system identifier.');
	return epoch;
}
