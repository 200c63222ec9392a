// Topics that a project's files suggest, as its members see them. They are found by topics.ts; what members decide
// (accept, rename, dismiss) is written here and survives every later search for topics.
import * as v from 'valibot';
import { Proposal, type ProposalChange } from '#lib/shared/projects.ts';
import { problem } from '../errors.ts';
import type { Bell } from '../files/bell.ts';
import { DbError } from '../platform/db-error.ts';
import type { Db, Queryable } from '../platform/platform.ts';
import { checkId, isoTime, reachProject } from './access.ts';

const shownPassages = 3;
const passageLength = 240;

export function createProposals({ db, bell }: { db: Db; bell: Bell }) {
	async function find(on: Queryable, projectId: string, id?: string): Promise<Proposal[]> {
		const { rows } = await on.query(proposalsSql, [projectId, id ?? null, shownPassages, passageLength]);
		return v.parse(v.array(Proposal), rows);
	}

	async function get(on: Queryable, projectId: string, id: string): Promise<Proposal> {
		const [proposal] = await find(on, projectId, checkId(id, 'proposal.not_found'));
		if (!proposal) throw problem('proposal.not_found');
		return proposal;
	}

	return {
		/** Accepted ones first, then by confidence; dismissed ones last. */
		async list(userId: string, projectId: string): Promise<Proposal[]> {
			const { id } = await reachProject(db, userId, projectId);
			return find(db, id);
		},

		/** Editors and the owner decide. */
		async change(userId: string, projectId: string, id: string, change: ProposalChange): Promise<Proposal> {
			const scope = await reachProject(db, userId, projectId, 'editor');
			const changed = await db.tx(async (tx) => {
				const { id: known } = await get(tx, scope.id, id);
				await write(tx, known, change);
				return get(tx, scope.id, known);
			});
			bell.ring(scope.ownerId);
			return changed;
		}
	};
}

async function write(tx: Queryable, id: string, { title, status }: ProposalChange): Promise<void> {
	try {
		await tx.query(
			`update public.proposals set title = coalesce($2::text, title), status = coalesce($3::text, status),
				titled_by = case when $2::text is null then titled_by else 'member' end
			 where id = $1`,
			[id, title ?? null, status ?? null]
		);
	} catch (cause) {
		if (cause instanceof DbError && cause.code === '23505') throw problem('proposal.title_taken', { cause });
		throw cause;
	}
}

const proposalsSql = `
	select p.id::text, p.title, p.status, round(p.confidence::numeric, 3)::float8 as confidence,
		(select count(distinct s.file_id) from public.proposal_passages s where s.proposal_id = p.id)::int as file_count,
		(
			select coalesce(jsonb_agg(jsonb_build_object('file_id', s.file_id, 'filename', f.filename, 'page', c.page,
				'passage', left(c.text, $4::int)) order by s.place), '[]')
			from public.proposal_passages s
			join public.files f on f.id = s.file_id
			join public.chunks c on c.file_id = s.file_id and c.ordinal = s.ordinal
			where s.proposal_id = p.id and s.place < $3::int
		) as passages,
		${isoTime('p.created_at')} as created_at, ${isoTime('p.updated_at')} as updated_at
	from public.proposals p
	where p.project_id = $1 and p.status <> 'gone' and ($2::uuid is null or p.id = $2::uuid)
	order by array_position(array['accepted', 'open', 'dismissed'], p.status), p.confidence desc, p.title, p.id`;
