// Projects: files that several people share (docs/decisions/095). Who may do what is asked in access.ts; what files do
// stays in files/, by the scope that is reached here.
import * as v from 'valibot';
import { Project, projectLimits, type Role } from '#lib/shared/projects.ts';
import { problem } from '../errors.ts';
import type { Bell } from '../files/bell.ts';
import { lockOwner } from '../files/owner-lock.ts';
import type { Scope } from '../files/reach.ts';
import type { Db, Queryable } from '../platform/platform.ts';
import { checkId, isoTime, reachProject } from './access.ts';
import { createInvitations } from './invitations.ts';
import { createMembers } from './members.ts';
import { createProposals } from './proposals.ts';

export type Projects = ReturnType<typeof createProjects>;

type Deps = {
	db: Db;
	bell: Bell;
	quotaBytes: number;
	/** Whoever follows it (or this one member) is told that it is over. */
	leave(projectId: string, userId?: string): void;
};

export function createProjects({ db, bell, quotaBytes, leave }: Deps) {
	async function find(on: Queryable, userId: string, id?: string): Promise<Project[]> {
		const { rows } = await on.query(projectsSql, [userId, id ?? null]);
		return v.parse(v.array(Project), rows);
	}

	async function get(userId: string, id: string): Promise<Project> {
		const [project] = await find(db, userId, checkId(id, 'project.not_found'));
		if (!project) throw problem('project.not_found');
		return project;
	}

	return {
		members: createMembers({ db, leave }),
		invitations: createInvitations({ db, bell, quotaBytes }),
		proposals: createProposals({ db, bell }),

		/** Throws unless the person has at least this role. */
		reach: (userId: string, id: string, least?: Role): Promise<Scope> => reachProject(db, userId, id, least),

		/** Those of which the person is a member, by name. */
		list: (userId: string): Promise<Project[]> => find(db, userId),
		get,

		async add(userId: string, name: string): Promise<Project> {
			const id = await db.tx(async (tx) => {
				await lockOwner(tx, userId);
				const { rows } = await tx.query<{ id: string }>(addSql, [userId, name, projectLimits.perPerson]);
				const added = rows[0];
				if (!added) throw problem('project.too_many');
				await tx.query(
					`insert into public.project_members (project_id, user_id, role) values ($1, $2, 'owner')`,
					[added.id, userId]
				);
				return added.id;
			});
			return get(userId, id);
		},

		async rename(userId: string, id: string, name: string): Promise<Project> {
			const scope = await reachProject(db, userId, id, 'owner');
			await db.query('update public.projects set name = $2 where id = $1', [scope.id, name]);
			return get(userId, id);
		},

		/** Its files stay: they are the owner's own from now on, as they were before, and nobody else's. */
		async remove(userId: string, id: string): Promise<void> {
			const scope = await reachProject(db, userId, id, 'owner');
			await db.tx(async (tx) => {
				await lockOwner(tx, scope.ownerId);
				// It may have been handed over while this waited.
				await reachProject(tx, userId, scope.id, 'owner');
				await tx.query('delete from public.projects where id = $1', [scope.id]);
				await tx.query('delete from asura.topic_turns where project_id = $1', [scope.id]);
			});
			leave(scope.id);
			bell.ring(scope.ownerId);
		}
	};
}

const projectsSql = `
	select p.id::text, p.name, m.role, ${isoTime('p.created_at')} as created_at,
		(select count(*) from public.files f where f.project_id = p.id)::int as file_count,
		(select count(*) from public.project_members o where o.project_id = p.id)::int as member_count
	from public.project_members m join public.projects p on p.id = m.project_id
	where m.user_id = $1 and ($2::uuid is null or p.id = $2::uuid)
	order by lower(p.name), p.id`;

const addSql = `
	insert into public.projects (owner_id, name)
	select $1::uuid, $2 where (select count(*) from public.projects where owner_id = $1::uuid) < $3::int
	returning id::text`;
