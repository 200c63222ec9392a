// Whoever names a file by its id passes here: may this person do that with it? The rules stand in the database
// (asura.scopes_of, docs/decisions/095).
import type { Role } from '#lib/shared/projects.ts';
import { problem } from '../errors.ts';
import type { Db, Queryable } from '../platform/platform.ts';
import { checkFileId } from './ids.ts';

/** Whose files are meant: a person's own, or a project's. `ownerId`: whose storage they take. */
export type Scope = { id: string; ownerId: string };

export function ownScope(userId: string): Scope {
	return { id: userId, ownerId: userId };
}

/** A file that the person cannot see is not found, like one that does not exist. */
export async function reachFile(db: Db, userId: string, id: string, least: Role = 'viewer'): Promise<Scope> {
	const found = await findReach(db, userId, checkFileId(id), least);
	if (!found) throw problem('file.not_found');
	if (!found.may) throw problem('project.forbidden');
	return { id: found.id, ownerId: found.ownerId };
}

export async function findReach(
	db: Db,
	userId: string,
	id: string,
	least: Role = 'viewer'
): Promise<(Scope & { may: boolean }) | undefined> {
	return (await db.query<Scope & { may: boolean }>(reachSql, [id, userId, least])).rows[0];
}

const reachSql = `
	select f.scope_id::text as id, f.user_id::text as "ownerId",
		f.scope_id in (select asura.scopes_of($2, $3)) as may
	from public.files f where f.id = $1 and f.scope_id in (select asura.scopes_of($2))`;

/** Whatever the person may read. */
export async function findScopes(db: Queryable, userId: string): Promise<string[]> {
	const { rows } = await db.query<{ id: string }>('select asura.scopes_of($1)::text as id', [userId]);
	return rows.map(({ id }) => id);
}

export type Arrival = { projectId: string; addedBy: string };

/** Whose storage it takes: the owner's. Under his lock `checkArrival` looks whether he still is it. */
export async function findOwner(tx: Queryable, { projectId }: Pick<Arrival, 'projectId'>): Promise<string> {
	const { rows } = await tx.query<{ id: string }>(
		'select owner_id::text as id from public.projects where id = $1',
		[projectId]
	);
	if (!rows[0]) throw problem('project.not_found');
	return rows[0].id;
}

/** Wherever something comes into a project: its members may have changed while the bytes came. */
export async function checkArrival(
	tx: Queryable,
	{ projectId, addedBy, ownerId }: Arrival & { ownerId: string }
): Promise<void> {
	// Until the row is there, nobody can be removed and the project cannot be deleted.
	const { rows } = await tx.query<{ may: boolean; isOwners: boolean }>(
		`select m.project_id in (select asura.scopes_of($2, 'editor')) as may, p.owner_id = $3 as "isOwners"
		 from public.project_members m join public.projects p on p.id = m.project_id
		 where m.project_id = $1 and m.user_id = $2 for share of m`,
		[projectId, addedBy, ownerId]
	);
	if (!rows[0]) throw problem('project.not_found');
	if (!rows[0].may) throw problem('project.forbidden');
	// It was handed over while we waited for the lock of the owner before.
	if (!rows[0].isOwners) throw problem('server.unavailable');
}

export type Guest = { readonly userId: string; readonly scope: Scope };

/** Those who may no longer see what they look at. */
export async function findStrangers<G extends Guest>(db: Queryable, guests: readonly G[]): Promise<G[]> {
	const { rows } = await db.query<{ place: number }>(
		`select g.place::int from unnest($1::text[], $2::text[]) with ordinality as g (user_id, scope_id, place)
		 where g.scope_id::uuid not in (select asura.scopes_of(g.user_id::uuid))`,
		[guests.map(({ userId }) => userId), guests.map(({ scope }) => scope.id)]
	);
	const strangers = new Set(rows.map(({ place }) => place - 1));
	return guests.filter((_, i) => strangers.has(i));
}
