// Invitations by e-mail address. Whether an address has an account makes no difference to any answer. Whoever has signed
// in with that very address finds it, and accepts it once; for everybody else there is no such invitation.
import * as v from 'valibot';
import { Invitation, projectLimits, type Role } from '#lib/shared/projects.ts';
import { problem } from '../errors.ts';
import type { Bell } from '../files/bell.ts';
import type { Db, Queryable } from '../platform/platform.ts';
import { checkId, holdProject, isoTime, lockProject, reachProject } from './access.ts';
import { lockBothOwners, takeOver } from './take-over.ts';

/** Sign-in has confirmed the address (docs/decisions/022); on the machine itself it is the one that was given. */
export type Invited = { userId: string; email: string };

type Deps = { db: Db; bell: Bell; quotaBytes: number };

export function createInvitations({ db, bell, quotaBytes }: Deps) {
	async function find(on: Queryable, column: 'id' | 'project_id' | 'email', value: string) {
		const { rows } = await on.query(
			`${invitationSql} where i.${column} = $1 and i.expires_at > now() order by i.created_at, i.id`,
			[value]
		);
		return v.parse(v.array(Invitation), rows);
	}

	return {
		/** Of a project, for its owner. */
		async list(userId: string, projectId: string): Promise<Invitation[]> {
			const { id } = await reachProject(db, userId, projectId, 'owner');
			return find(db, 'project_id', id);
		},

		/** For a person. */
		listFor: ({ email }: Invited): Promise<Invitation[]> => find(db, 'email', email.toLowerCase()),

		/** Again for the same address: the newer one counts, and its days begin anew. */
		async add(userId: string, projectId: string, email: string, role: Role): Promise<Invitation> {
			return db.tx(async (tx) => {
				const { id } = await holdProject(tx, userId, projectId, 'owner');
				await tx.query('delete from asura.project_invitations where expires_at <= now()');
				const { rows } = await tx.query<Counted>(countSql, [id, email, userId]);
				// A project is offered to somebody whom its owner knows, never to an address that was mistyped.
				if (role === 'owner' && !rows[0]?.is_other) throw problem('project.not_a_member');
				if (role !== 'owner' && rows[0]?.is_member) throw problem('project.already_member');
				if ((rows[0]?.waiting ?? 0) >= projectLimits.invitations) throw problem('invitation.too_many');
				const added = await tx.query<{ id: string }>(addSql, [id, email, role, projectLimits.invitationDays]);
				const [invitation] = await find(tx, 'id', added.rows[0]?.id ?? '');
				if (!invitation) throw new Error('the invitation just made cannot be found');
				return invitation;
			});
		},

		/** Withdrawn by the project's owner. */
		async revoke(userId: string, projectId: string, invitationId: string): Promise<void> {
			const { id } = await reachProject(db, userId, projectId, 'owner');
			const { rowCount } = await db.query(
				'delete from asura.project_invitations where id = $1 and project_id = $2',
				[checkId(invitationId, 'invitation.not_found'), id]
			);
			if (rowCount === 0) throw problem('invitation.not_found');
		},

		/** Declined by the invited person. */
		async decline({ email }: Invited, invitationId: string): Promise<void> {
			await take(db, email, invitationId);
		},

		/** Returns the project's id. */
		async accept({ userId, email }: Invited, invitationId: string): Promise<string> {
			const { projectId, owners } = await db.tx(async (tx) => {
				const { project_id: projectId, role } = await look(tx, email, invitationId);
				const from = role === 'owner' ? await lockBothOwners(tx, projectId, userId) : undefined;
				await lockProject(tx, projectId);
				await take(tx, email, invitationId, role);
				if (from === undefined) await join(tx, projectId, userId, role);
				else await takeOver(tx, { projectId, from, to: userId, quotaBytes });
				return { projectId, owners: from === undefined ? [] : [from, userId] };
			});
			for (const owner of owners) bell.ring(owner);
			return projectId;
		}
	};
}

const isTheirs = `id = $1 and email = $2 and email <> '' and expires_at > now()`;

async function look(tx: Queryable, email: string, id: string): Promise<{ project_id: string; role: string }> {
	const { rows } = await tx.query<{ project_id: string; role: string }>(
		`select project_id::text, role from asura.project_invitations where ${isTheirs}`,
		[checkId(id, 'invitation.not_found'), email.toLowerCase()]
	);
	if (!rows[0]) throw problem('invitation.not_found');
	return rows[0];
}

/** An invitation is used up by whoever takes it; `role`: not if it is another one by now. */
async function take(on: Queryable, email: string, id: string, role?: string): Promise<void> {
	const { rowCount } = await on.query(
		`delete from asura.project_invitations where ${isTheirs} and ($3::text is null or role = $3)`,
		[checkId(id, 'invitation.not_found'), email.toLowerCase(), role ?? null]
	);
	if (rowCount === 0) throw problem('invitation.not_found');
}

async function join(tx: Queryable, projectId: string, userId: string, role: string): Promise<void> {
	const { rows } = await tx.query<{ members: number }>(
		'select count(*)::int as members from public.project_members where project_id = $1',
		[projectId]
	);
	if ((rows[0]?.members ?? 0) >= projectLimits.members) throw problem('project.too_many_members');
	// Somebody who came in by another address keeps the role that he has.
	await tx.query(
		`insert into public.project_members (project_id, user_id, role) values ($1, $2, $3) on conflict do nothing`,
		[projectId, userId, role]
	);
}

const invitationSql = `
	select i.id::text, i.email, i.role, jsonb_build_object('id', p.id, 'name', p.name) as project,
		${isoTime('i.created_at')} as created_at, ${isoTime('i.expires_at')} as expires_at
	from asura.project_invitations i join public.projects p on p.id = i.project_id`;

type Counted = { is_member: boolean; is_other: boolean; waiting: number };

const countSql = `
	select
		exists (
			select from public.project_members m join auth.users u on u.id = m.user_id
			where m.project_id = $1 and lower(u.email) = $2 and u.id <> $3
		) as is_other,
		exists (
			select from public.project_members m join auth.users u on u.id = m.user_id
			where m.project_id = $1 and lower(u.email) = $2
		) as is_member,
		(select count(*) from asura.project_invitations where project_id = $1 and email <> $2)::int as waiting`;

const addSql = `
	insert into asura.project_invitations as i (project_id, email, role, expires_at)
	values ($1, $2, $3, now() + make_interval(days => $4::int))
	on conflict (project_id, email) do update
		set role = excluded.role, expires_at = excluded.expires_at, created_at = now()
	returning i.id::text`;
