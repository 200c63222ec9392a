// A member becomes the owner of a project that was offered to him; whoever owned it stays as an editor.
import { projectLimits } from '#lib/shared/projects.ts';
import { problem } from '../errors.ts';
import { handOverFiles } from '../files/hand-over.ts';
import { lockOwners } from '../files/owner-lock.ts';
import { findOwner } from '../files/reach.ts';
import type { Tx } from '../platform/platform.ts';
import { lockProject } from './access.ts';

type TakeOver = { projectId: string; userId: string; quotaBytes: number };

/** The owner before and the new one. */
export async function takeOver(tx: Tx, { projectId, userId, quotaBytes }: TakeOver): Promise<string[]> {
	const from = await findOwner(tx, { projectId });
	await lockOwners(tx, from, userId);
	await lockProject(tx, projectId);
	// Whoever offered it may have left or given it to somebody else by now; whoever takes it may have left.
	if ((await findOwner(tx, { projectId })) !== from) throw problem('invitation.not_found');
	const { rowCount: isMember } = await tx.query(roleSql, [projectId, userId, 'owner']);
	if (isMember === 0 || from === userId) throw problem('invitation.not_found');
	const owned = await tx.query<{ count: number }>(
		'select count(*)::int as count from public.projects where owner_id = $1',
		[userId]
	);
	if ((owned.rows[0]?.count ?? 0) >= projectLimits.perPerson) throw problem('project.too_many');
	await handOverFiles(tx, { projectId, from, to: userId, quotaBytes });
	await tx.query(roleSql, [projectId, from, 'editor']);
	await tx.query('update public.projects set owner_id = $2 where id = $1', [projectId, userId]);
	return [from, userId];
}

const roleSql = 'update public.project_members set role = $3 where project_id = $1 and user_id = $2';
