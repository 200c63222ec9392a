// A member becomes the owner of a project that was offered to him; whoever owned it stays as an editor.
import { projectLimits } from '#lib/shared/projects.ts';
import { problem } from '../errors.ts';
import { handOverFiles } from '../files/hand-over.ts';
import { lockOwners } from '../files/owner-lock.ts';
import { findOwner } from '../files/reach.ts';
import type { Tx } from '../platform/platform.ts';

type TakeOver = { projectId: string; from: string; to: string; quotaBytes: number };

/** Before anything else is locked; returns the owner at present. */
export async function lockBothOwners(tx: Tx, projectId: string, userId: string): Promise<string> {
	const from = await findOwner(tx, { projectId });
	await lockOwners(tx, from, userId);
	return from;
}

/** The caller holds the locks of both and of the project. */
export async function takeOver(tx: Tx, { projectId, from, to, quotaBytes }: TakeOver): Promise<void> {
	// It may have been given to somebody else before the locks were there; whoever takes it may have left.
	if ((await findOwner(tx, { projectId })) !== from) throw problem('invitation.not_found');
	const { rowCount: isMember } = await tx.query(roleSql, [projectId, to, 'owner']);
	if (isMember === 0 || from === to) throw problem('invitation.not_found');
	const owned = await tx.query<{ count: number }>(
		'select count(*)::int as count from public.projects where owner_id = $1',
		[to]
	);
	if ((owned.rows[0]?.count ?? 0) >= projectLimits.perPerson) throw problem('project.too_many');
	await handOverFiles(tx, { projectId, from, to, quotaBytes });
	await tx.query(roleSql, [projectId, from, 'editor']);
	await tx.query('update public.projects set owner_id = $2 where id = $1', [projectId, to]);
	// What the owner before has offered to others is not his to give any more.
	await tx.query(`delete from asura.project_invitations where project_id = $1 and role = 'owner'`, [
		projectId
	]);
}

const roleSql = 'update public.project_members set role = $3 where project_id = $1 and user_id = $2';
