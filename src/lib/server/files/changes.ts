// What changed since …, for streams and everybody else who follows the files of a scope: a person's own, or a project's.
//
// A trigger stamps each row with the id of its transaction. A reader continues from the snapshot's xmin: every
// transaction older than it has ended, so whatever commits later is stamped at or after it. (A sequence would skip: a
// lower number can commit after a higher one was read.) Some rows are read twice; their rev tells. Deleted files come
// from asura.deleted_files, which people's own role cannot read: the statements filter by scope themselves.
import * as v from 'valibot';
import type { StoredFile } from '#lib/shared/files.ts';
import { limits } from '#lib/shared/limits.ts';
import type { Capabilities, Db, Queryable, Row } from '../platform/platform.ts';
import * as sql from './changes-sql.ts';
import { formatCursor, newEpoch, parseCursor, readServerEpoch } from './cursor.ts';
import { toStoredFile } from './row.ts';

/** `file` is undefined when it was deleted, and when the change is of a proposal. */
export type Change = { id: string; rev: number; file: StoredFile | undefined; proposal?: ChangedProposal };
/** A topic that a project's files suggest; its row stays when it is dismissed or not suggested any more. */
export type ChangedProposal = v.InferOutput<typeof ChangedProposal>;
export type ResetReason = 'unknown_cursor' | 'other_epoch' | 'beyond_present' | 'too_old';
export type Changes =
	{ kind: 'changes'; changes: Change[]; cursor: string } | { kind: 'reset'; reason: ResetReason };
export type Place = { createdAt: string; id: string };
export type SnapshotPage = { files: StoredFile[]; cursor: string; next: Place | undefined };
/** `revs` names every row that was read: what can be skipped when it is read again. */
export type ScopeChanges = { changes: Change[]; revs: ReadonlyMap<string, number> };
export type Known = ReadonlyMap<string, ReadonlyMap<string, number>>;
export type Digest = { active: number; digest: string };

export type FileChanges = ReturnType<typeof createChanges>;

const ChangedProposal = v.object({
	id: v.string(),
	title: v.string(),
	status: v.picklist(['open', 'accepted', 'dismissed', 'gone']),
	confidence: v.number(),
	rev: v.number(),
	created_at: v.string()
});

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

		/** Everything of this scope that changed since. */
		async since(scopeId: string, text: string): Promise<Changes> {
			const cursor = parseCursor(text);
			if (!cursor) return { kind: 'reset', reason: 'unknown_cursor' };
			if (cursor.epoch !== (await findEpoch())) return { kind: 'reset', reason: 'other_epoch' };
			const { rows } = await db.query(sql.sinceSql, [scopeId, cursor.position]);
			const { next, is_beyond, is_old } = first(rows);
			if (is_beyond) return { kind: 'reset', reason: 'beyond_present' };
			if (is_old) return { kind: 'reset', reason: 'too_old' };
			const changes = rows.filter((row) => row.changed_id !== null).map(toChange);
			return { kind: 'changes', changes, cursor: await toCursor(String(next)) };
		},

		/** All files of a scope, newest first, a page at a time. Continue from the cursor of the FIRST page. */
		async snapshot(scopeId: string, after?: Place, userId = scopeId): Promise<SnapshotPage> {
			const params = [scopeId, after?.createdAt ?? null, after?.id ?? null, limits.snapshotFrame];
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

		/** The topics of a project as they stand. */
		async proposals(projectId: string): Promise<ChangedProposal[]> {
			const { rows } = await db.query(sql.proposalsSql, [projectId]);
			return rows.map(({ proposal }) => v.parse(ChangedProposal, proposal));
		},

		/** The scopes with changes at or after `position`: any on this database. */
		async touched(position: string): Promise<{ next: string; scopeIds: string[] }> {
			const { rows } = await db.query<{ next: string; scope_id: string | null }>(sql.touchedSql, [position]);
			const scopeIds = rows.flatMap(({ scope_id }) => (scope_id === null ? [] : [scope_id]));
			return { next: first(rows).next, scopeIds };
		},

		/** The changes of several scopes; rows whose rev is known are not even looked at. */
		read: (position: string, known: Known) => readScopes(db, position, known),

		/** The same, and each scope's digest in the same snapshot. */
		readWithDigests(position: string, known: Known) {
			return db.tx(async (tx) => {
				await tx.query('set transaction isolation level repeatable read');
				const read = await readScopes(tx, position, known);
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

async function readScopes(on: Queryable, position: string, known: Known) {
	const { rows } = await on.query(sql.readSql, [[...known.keys()], position]);
	const scopes = new Map<string, { changes: Change[]; revs: Map<string, number> }>();
	for (const row of rows) {
		if (row.changed_id === null) continue;
		const scopeId = String(row.scope_id);
		const scope = scopes.get(scopeId) ?? { changes: [], revs: new Map<string, number>() };
		scopes.set(scopeId, scope);
		const id = String(row.changed_id);
		const rev = Number(row.changed_rev);
		scope.revs.set(id, rev);
		if (known.get(scopeId)?.get(id) !== rev) scope.changes.push(toChange(row));
	}
	const changed: ReadonlyMap<string, ScopeChanges> = scopes;
	return { next: String(first(rows).next), scopes: changed };
}

async function readDigests(on: Queryable, scopeIds: string[]): Promise<Map<string, Digest>> {
	const { rows } = await on.query<{ scope_id: string } & Digest>(sql.digestSql, [scopeIds]);
	const digests = new Map(scopeIds.map((id) => [id, { active: 0, digest: '0-0000000000000000' }]));
	for (const { scope_id, active, digest } of rows) digests.set(scope_id, { active, digest });
	return digests;
}

function toChange(row: Row): Change {
	const change = { id: String(row.changed_id), rev: Number(row.changed_rev) };
	if (row.proposal !== null)
		return { ...change, file: undefined, proposal: v.parse(ChangedProposal, row.proposal) };
	return { ...change, file: row.id === null ? undefined : toStoredFile(row) };
}

function first<R>(rows: R[]): R {
	const row = rows[0];
	if (row === undefined) throw new Error('The database answered without a row.');
	return row;
}
