// Who may do what with a project. Whoever is not a member learns nothing of it, not even that it is there.
import type { Role } from '#lib/shared/projects.ts';
import { problem } from '../errors.ts';
import type { Scope } from '../files/reach.ts';
import type { Queryable } from '../platform/platform.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whatever is not an id cannot be the id of anything: the same answer as for what does not exist. */
export function checkId(
	id: string,
	code: 'project.not_found' | 'invitation.not_found' | 'proposal.not_found'
): string {
	if (!uuid.test(id)) throw problem(code);
	return id.toLowerCase();
}

/** The scope of the project, for somebody who has at least this role in it. */
export async function reachProject(
	on: Queryable,
	userId: string,
	id: string,
	least: Role = 'viewer'
): Promise<Scope> {
	const { rows } = await on.query<Scope & { may: boolean }>(
		`select p.id::text, p.owner_id::text as "ownerId", p.id in (select asura.scopes_of($2, $3)) as may
		 from public.projects p where p.id = $1 and p.id in (select asura.scopes_of($2))`,
		[checkId(id, 'project.not_found'), userId, least]
	);
	const row = rows[0];
	if (!row) throw problem('project.not_found');
	if (!row.may) throw problem('project.forbidden');
	return { id: row.id, ownerId: row.ownerId };
}

/** Who counts members or invitations keeps others from adding any meanwhile. Before it come locks of owners, after it rows of both. */
export async function lockProject(tx: Queryable, id: string): Promise<void> {
	const { rowCount } = await tx.query('select from public.projects where id = $1 for no key update', [id]);
	if (rowCount === 0) throw problem('project.not_found');
}

/** The same as `reachProject` for whoever changes its people: it may be handed over while this waits for its turn. */
export async function holdProject(tx: Queryable, userId: string, id: string, least: Role): Promise<Scope> {
	const { id: known } = await reachProject(tx, userId, id, least);
	await lockProject(tx, known);
	return reachProject(tx, userId, known, least);
}

export const isoTime = (column: string) =>
	`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
