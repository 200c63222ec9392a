// What finding topics reads and writes. A turn is taken for a while, not for ever: of a process that dies in it, another
// one takes it over.
import * as v from 'valibot';
import { projectLimits } from '#lib/shared/projects.ts';
import type { Capabilities, Db, Queryable } from '../../platform/platform.ts';
import type { Material } from './aside.ts';
import type { KnownTopic, Topic } from './find.ts';
import { keyOfPassage, settle } from './settle.ts';

export type Turn = { project_id: string; turn: string };
export type Named = { id: string; key: string; title: string };

const maxPassages = 600;
const maxPassageLength = 2000;

export function createTopicStore({ db, capabilities, model }: Deps) {
	return {
		async take(): Promise<Turn | undefined> {
			return (await db.query<Turn>(takeSql)).rows[0];
		},

		/** Done, unless something changed meanwhile: then again, and the longer it took the later. */
		async finish({ project_id, turn }: Turn, tookMs: number): Promise<void> {
			const { rowCount } = await db.query(
				'delete from asura.topic_turns where project_id = $1 and turn = $2::text::bigint',
				[project_id, turn]
			);
			if (rowCount > 0) return;
			await db.query(
				`update asura.topic_turns set due_at = now() + make_interval(secs => $2::float8) where project_id = $1`,
				[project_id, 2 + tookMs / 100]
			);
		},

		async read(projectId: string): Promise<Material> {
			const { rows } = await db.query(passagesSql(capabilities.hasVectors), [
				projectId,
				maxPassages,
				maxPassageLength,
				...(capabilities.hasVectors ? [model] : [])
			]);
			const passages = rows.map((row) => {
				const { file_id, ordinal, text, vector } = v.parse(Row, row);
				return {
					fileId: file_id,
					ordinal,
					text,
					vector: vector === null ? undefined : v.parse(Vector, vector)
				};
			});
			const known = await db.query<KnownTopic>(
				`select key, status from public.proposals where project_id = $1 and status <> 'gone'`,
				[projectId]
			);
			return { passages, known: known.rows };
		},

		/** Returns those that have no name from anybody yet; undefined when the project is gone. */
		write: (projectId: string, found: readonly Topic[]): Promise<Named[] | undefined> =>
			db.tx((tx) => write(tx, projectId, found)),

		/** Unless somebody was quicker. */
		async rename(id: string, title: string): Promise<void> {
			await db.query(
				`update public.proposals set title = $2, titled_by = 'model'
				 where id = $1 and titled_by = 'files' and status = 'open'`,
				[id, title]
			);
		},

		/** What was withdrawn a day ago; streams that were away for longer begin anew. */
		async prune(): Promise<void> {
			await db.query(pruneSql);
		}
	};
}

type Deps = { db: Db; capabilities: Pick<Capabilities, 'hasVectors'>; model: string };

const Row = v.object({
	file_id: v.string(),
	ordinal: v.number(),
	text: v.string(),
	vector: v.nullable(v.string())
});
const Vector = v.pipe(v.string(), v.parseJson(), v.array(v.number()));
const KnownRow = v.object({
	id: v.string(),
	key: v.string(),
	status: v.string(),
	support: v.array(v.string())
});

async function write(
	tx: Queryable,
	projectId: string,
	found: readonly Topic[]
): Promise<Named[] | undefined> {
	// Members decide meanwhile, on rows of proposals; only two who look for topics keep each other waiting.
	const project = await tx.query('select from public.projects where id = $1 for no key update', [projectId]);
	if (project.rowCount === 0) return undefined;
	const { rows } = await tx.query(knownSql, [projectId]);
	const known = rows.map((row) => v.parse(KnownRow, row));
	const { kept, added, gone } = settle(found, known);
	const room = Math.max(0, projectLimits.proposals - known.filter(({ status }) => status !== 'gone').length);
	await tx.query(
		`update public.proposals set status = 'gone' where id = any($1::text[]::uuid[]) and status = 'open'`,
		[gone]
	);
	await tx.query('delete from public.proposal_passages where proposal_id = any($1::text[]::uuid[])', [gone]);
	for (const { id, topic } of kept) await keep(tx, id, topic);
	for (const topic of added.slice(0, room)) await add(tx, projectId, topic);
	return (await tx.query<Named>(namelessSql, [projectId])).rows;
}

async function keep(tx: Queryable, id: string, topic: Topic): Promise<void> {
	await tx.query(keepSql, [id, topic.title, topic.confidence]);
	await support(tx, id, topic);
}

async function add(
	tx: Queryable,
	projectId: string,
	{ key, title, confidence, support: passages }: Topic
): Promise<void> {
	const { rows } = await tx.query<{ id: string }>(
		`insert into public.proposals (project_id, key, title, confidence) values ($1, $2, $3, $4) returning id::text`,
		[projectId, key, title, confidence]
	);
	const id = rows[0]?.id;
	if (id === undefined) return;
	await support(tx, id, { support: passages });
	await tx.query(announceSql, [projectId, JSON.stringify({ id, project_id: projectId, title, confidence })]);
}

async function support(
	tx: Queryable,
	id: string,
	{ support: passages }: Pick<Topic, 'support'>
): Promise<void> {
	const before = await tx.query<{ passages: string[] }>(supportSql, [id]);
	if (before.rows[0]?.passages.join() === passages.map(keyOfPassage).join()) return;
	await tx.query('delete from public.proposal_passages where proposal_id = $1', [id]);
	await tx.query(addSupportSql, [
		id,
		passages.map(({ fileId }) => fileId),
		passages.map(({ ordinal }) => String(ordinal))
	]);
}

/** To the webhooks of every member, and to those of the project. */
const announceSql = `
	select asura.announce(array_agg(m.user_id), $1, 'proposal.created', $2::jsonb)
	from public.project_members m where m.project_id = $1`;

const takeSql = `
	update asura.topic_turns set due_at = now() + interval '2 minutes'
	where project_id = (
		select project_id from asura.topic_turns where due_at <= now() order by due_at limit 1 for update skip locked
	) returning project_id::text, turn::text`;

/** Of many passages every so-manieth, so that each file has its share. */
const passagesSql = (hasVectors: boolean) => `
	select file_id::text, ordinal, text, vector from (
		select c.file_id, c.ordinal, left(c.text, $3::int) as text, f.created_at,
			${hasVectors ? 'e.embedding::text' : 'null::text'} as vector,
			row_number() over (order by f.created_at, c.file_id, c.ordinal) as place, count(*) over () as total
		from public.files f
		join public.chunks c on c.file_id = f.id
		${hasVectors ? 'left join public.embeddings e on e.user_id = c.user_id and e.hash = c.hash and e.model = $4' : ''}
		where f.project_id = $1 and f.status = 'completed' and f.duplicate_of is null
	) c
	where place % greatest(1, (total + $2::int - 1) / $2::int) = 0
	order by place limit $2::int`;

const supportOf = (proposal: string) => `
	coalesce((
		select jsonb_agg(s.file_id::text || ' ' || s.ordinal order by s.place)
		from public.proposal_passages s where s.proposal_id = ${proposal}
	), '[]')`;
const knownSql = `
	select p.id::text, p.key, p.status, ${supportOf('p.id')} as support
	from public.proposals p where p.project_id = $1 order by p.created_at, p.id`;
const supportSql = `select ${supportOf('$1::uuid')} as passages`;

/** A change that nobody would see is none: streams would tell it. */
const keepSql = `
	update public.proposals set confidence = $3, status = case when status = 'gone' then 'open' else status end,
		title = case when titled_by = 'files' and status in ('open', 'gone') then $2 else title end
	where id = $1 and (
		abs(confidence - $3) > 0.02 or status = 'gone' or (titled_by = 'files' and status = 'open' and title <> $2)
	)`;

const addSupportSql = `
	insert into public.proposal_passages (proposal_id, file_id, ordinal, place)
	select $1::uuid, u.file_id::uuid, u.ordinal::int, u.place - 1
	from unnest($2::text[], $3::text[]) with ordinality as u (file_id, ordinal, place)
	join public.chunks c on c.file_id = u.file_id::uuid and c.ordinal = u.ordinal::int`;

const namelessSql = `
	select id::text, key, title from public.proposals
	where project_id = $1 and status = 'open' and titled_by = 'files' order by confidence desc, id limit 12`;

const pruneSql = `
	with gone as (
		delete from public.proposals where status = 'gone' and updated_at < now() - interval '24 hours'
		returning changed_xid
	)
	update asura.stream_horizon set pruned_xid = greatest(pruned_xid, (select max(changed_xid) from gone))
	where exists (select from gone)`;
