// The members of a project. Its owner is one of them, and stays it until another member takes it over (take-over.ts).
import * as v from 'valibot';
import { type GivenRole, Member } from '#lib/shared/projects.ts';
import { problem } from '../errors.ts';
import type { Db, Queryable } from '../platform/platform.ts';
import { checkId, holdProject, isoTime, reachProject } from './access.ts';

type Deps = {
	db: Db;
	/** Whoever follows it is told that it is over for him. */
	leave(projectId: string, userId: string): void;
};

export function createMembers({ db, leave }: Deps) {
	async function find(on: Queryable, projectId: string, userId?: string): Promise<Member[]> {
		const { rows } = await on.query(membersSql, [projectId, userId ?? null]);
		return v.parse(v.array(Member), rows);
	}

	async function get(on: Queryable, projectId: string, userId: string): Promise<Member> {
		const [member] = await find(on, projectId, checkId(userId, 'project.not_found'));
		if (!member) throw problem('project.not_found', { message: 'The project has no such member.' });
		return member;
	}

	return {
		/** Members see each other. */
		async list(userId: string, projectId: string): Promise<Member[]> {
			const { id } = await reachProject(db, userId, projectId);
			return find(db, id);
		},

		async setRole(userId: string, projectId: string, memberId: string, role: GivenRole): Promise<Member> {
			return db.tx(async (tx) => {
				const { id } = await holdProject(tx, userId, projectId, 'owner');
				const member = await get(tx, id, memberId);
				if (member.role === 'owner') throw problem('project.owner_stays');
				await tx.query('update public.project_members set role = $3 where project_id = $1 and user_id = $2', [
					id,
					member.user_id,
					role
				]);
				return { ...member, role };
			});
		},

		/** Everybody may go; only the owner may send somebody away. What he added stays. */
		async remove(userId: string, projectId: string, memberId: string): Promise<void> {
			const isSelf = memberId.toLowerCase() === userId;
			const gone = await db.tx(async (tx) => {
				const { id } = await holdProject(tx, userId, projectId, isSelf ? 'viewer' : 'owner');
				const member = await get(tx, id, memberId);
				if (member.role === 'owner') throw problem('project.owner_stays');
				await tx.query('delete from public.project_members where project_id = $1 and user_id = $2', [
					id,
					member.user_id
				]);
				return { projectId: id, userId: member.user_id };
			});
			leave(gone.projectId, gone.userId);
		}
	};
}

const membersSql = `
	select m.user_id::text, coalesce(u.email, '') as email, coalesce(u.raw_user_meta_data ->> 'name', '') as name, m.role,
		${isoTime('m.created_at')} as joined_at
	from public.project_members m join auth.users u on u.id = m.user_id
	where m.project_id = $1 and ($2::uuid is null or m.user_id = $2::uuid)
	order by m.role = 'owner' desc, m.created_at, m.user_id`;
