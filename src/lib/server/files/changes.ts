// What changed since …, for streams and everybody else who follows files.
//
// A trigger stamps each row with the id of its transaction. A reader continues from the snapshot's xmin: every
// transaction older than it has ended, so whatever commits later is stamped at or after it. (A sequence would skip: a
// lower number can commit after a higher one was read.) Some rows are read twice; their rev tells. Deleted files come
// from asura.deleted_files, which people's own role cannot read: the statements filter by user themselves.
import type { StoredFile } from '#lib/shared/files.ts';
import { limits } from '#lib/shared/limits.ts';
import type { Capabilities, Db, Queryable, Row } from '../platform/platform.ts';
import * as sql from './changes-sql.ts';
import { formatCursor, newEpoch, parseCursor, readServerEpoch } from './cursor.ts';
import { toStoredFile } from './row.ts';

/** `file` is undefined when it was deleted. */
export type Change = { id: string; rev: number; file: StoredFile | undefined };
export type ResetReason = 'unknown_cursor' | 'other_epoch' | 'beyond_present' | 'too_old';
export type Changes =
	{ kind: 'changes'; changes: Change[]; cursor: string } | { kind: 'reset'; reason: ResetReason };
export type Place = { createdAt: string; id: string };
export type SnapshotPage = { files: StoredFile[]; cursor: string; next: Place | undefined };
/** `revs` names every row that was read: what can be skipped when it is read again. */
export type UserChanges = { changes: Change[]; revs: ReadonlyMap<string, number> };
export type Known = ReadonlyMap<string, ReadonlyMap<string, number>>;
export type Digest = { active: number; digest: string };

export type FileChanges = ReturnType<typeof createChanges>;

export function createChanges(deps: { db: Db; capabilities: Pick<Capabilities, 'isExclusive'> }) {
	const { db } = deps;
	const findEpoch = epochOf(deps);
	const toCursor = async (position: string) => formatCursor({ epoch: await findEpoch(), position });

	return {
		toCursor,
		position: () => readPosition(db),

		/** A place in time: whoever continues from it misses nothing. */
		async now(on: Queryable = db): Promise<string> {
			return toCursor(await readPosition(on));
		},

		/** Everything of this person that changed since. */
		async since(userId: string, text: string): Promise<Changes> {
			const cursor = parseCursor(text);
			if (!cursor) return { kind: 'reset', reason: 'unknown_cursor' };
			if (cursor.epoch !== (await findEpoch())) return { kind: 'reset', reason: 'other_epoch' };
			const { rows } = await db.query(sql.sinceSql, [userId, cursor.position]);
			const { next, is_beyond, is_old } = first(rows);
			if (is_beyond) return { kind: 'reset', reason: 'beyond_present' };
			if (is_old) return { kind: 'reset', reason: 'too_old' };
			const changes = rows.filter((row) => row.changed_id !== null).map(toChange);
			return { kind: 'changes', changes, cursor: await toCursor(String(next)) };
		},

		/** All files of a person, newest first, a page at a time. Continue from the cursor of the FIRST page. */
		async snapshot(userId: string, after?: Place): Promise<SnapshotPage> {
			const params = [userId, after?.createdAt ?? null, after?.id ?? null, limits.snapshotFrame];
			const { rows } = await db.tx((tx) => tx.query(sql.snapshotSql, params), { as: { userId } });
			const files = rows.filter((row) => row.id !== null).map(toStoredFile);
			const last = rows.at(-1);
			const next = { createdAt: String(last?.place), id: String(last?.id) };
			return {
				files,
				cursor: await toCursor(String(first(rows).next)),
				next: files.length === limits.snapshotFrame ? next : undefined
			};
		},

		/** Who has changes at or after `position`: anybody on this database. */
		async touched(position: string): Promise<{ next: string; userIds: string[] }> {
			const { rows } = await db.query<{ next: string; user_id: string | null }>(sql.touchedSql, [position]);
			const userIds = rows.flatMap(({ user_id }) => (user_id === null ? [] : [user_id]));
			return { next: first(rows).next, userIds };
		},

		/** The changes of several people; rows whose rev is known are not even looked at. */
		read: (position: string, known: Known) => readUsers(db, position, known),

		/** The same, and each person's digest in the same snapshot. */
		readWithDigests(position: string, known: Known) {
			return db.tx(async (tx) => {
				await tx.query('set transaction isolation level repeatable read');
				const read = await readUsers(tx, position, known);
				return { ...read, digests: await readDigests(tx, [...known.keys()]) };
			});
		},

		/** Once, at the start. */
		async restamp(): Promise<number> {
			return (await db.query(sql.restampSql)).rowCount;
		},

		/** Tombstones are kept for a day; the horizon remembers how far back a cursor may reach. */
		async prune(): Promise<number> {
			const { rows } = await db.query<{ pruned: number }>(sql.pruneSql);
			return first(rows).pruned;
		}
	};
}

function epochOf({ db, capabilities }: Parameters<typeof createChanges>[0]): () => Promise<string> {
	let epoch = capabilities.isExclusive ? Promise.resolve(newEpoch()) : undefined;
	return () => {
		epoch ??= readServerEpoch(db).catch((error: unknown) => {
			// Asked again next time: the database may only have been away.
			epoch = undefined;
			throw error;
		});
		return epoch;
	};
}

async function readPosition(on: Queryable): Promise<string> {
	const { rows } = await on.query<{ next: string }>(sql.positionSql);
	return first(rows).next;
}

async function readUsers(on: Queryable, position: string, known: Known) {
	const { rows } = await on.query(sql.readSql, [[...known.keys()], position]);
	const users = new Map<string, { changes: Change[]; revs: Map<string, number> }>();
	for (const row of rows) {
		if (row.changed_id === null) continue;
		const userId = String(row.user_id);
		const user = users.get(userId) ?? { changes: [], revs: new Map<string, number>() };
		users.set(userId, user);
		const id = String(row.changed_id);
		const rev = Number(row.changed_rev);
		user.revs.set(id, rev);
		if (known.get(userId)?.get(id) !== rev) user.changes.push(toChange(row));
	}
	const changed: ReadonlyMap<string, UserChanges> = users;
	return { next: String(first(rows).next), users: changed };
}

async function readDigests(on: Queryable, userIds: string[]): Promise<Map<string, Digest>> {
	const { rows } = await on.query<{ user_id: string } & Digest>(sql.digestSql, [userIds]);
	const digests = new Map(userIds.map((id) => [id, { active: 0, digest: '0-0000000000000000' }]));
	for (const { user_id, active, digest } of rows) digests.set(user_id, { active, digest });
	return digests;
}

function toChange(row: Row): Change {
	const file = row.id === null ? undefined : toStoredFile(row);
	return { id: String(row.changed_id), rev: Number(row.changed_rev), file };
}

function first<R>(rows: R[]): R {
	const row = rows[0];
	if (row === undefined) throw new Error('The database answered without a row.');
	return row;
}
