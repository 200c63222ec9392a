// The statements of changes.ts. Each takes its next position from the same snapshot as its rows, and joins the rows to
// one row that is always there, so that the position comes back even when nothing changed.
import { fileColumns } from './row.ts';

/** A proposal is one small object; a file's columns are null then. */
const proposalColumn = `
	case when p.id is not null then jsonb_build_object(
		'id', p.id, 'title', p.title, 'status', p.status, 'confidence', round(p.confidence::numeric, 3), 'rev', p.rev,
		'created_at', to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
	) end as proposal`;

/** Everything that has a rev, in these scopes, since $2. */
function changedIn(scopes: string): string {
	const since = 'changed_xid >= $2::text::xid8';
	return `
		select scope_id, id, rev from public.files where scope_id = ${scopes} and ${since}
		union all
		select scope_id, id, rev from asura.deleted_files where scope_id = ${scopes} and ${since}
		union all
		select project_id, id, rev from public.proposals where project_id = ${scopes} and ${since}`;
}

const nextPosition = `select pg_snapshot_xmin(pg_current_snapshot())::text as next`;

export const positionSql = nextPosition;

export const sinceSql = `
	select c.*, k.id::text as changed_id, k.rev::float8 as changed_rev, ${proposalColumn}, ${fileColumns}
	from (
		select pg_snapshot_xmin(s)::text as next,
			$2::text::xid8 > pg_snapshot_xmax(s) as is_beyond,
			$2::text::xid8 <= (select pruned_xid from asura.stream_horizon) as is_old
		from pg_current_snapshot() s
	) c
	left join lateral (
		${changedIn('$1')}
	) k on true
	left join public.files f on f.id = k.id
	left join public.proposals p on p.id = k.id`;

/** `place` has the microseconds that the file's own created_at does not show. */
export const snapshotSql = `
	select c.next, p.*
	from (${nextPosition}) c
	left join (
		select ${fileColumns}, f.created_at::text as place from public.files f
		where f.scope_id = $1 and ($2::text is null or (f.created_at, f.id) < ($2::text::timestamptz, $3::text::uuid))
		order by f.created_at desc, f.id desc
		limit $4
	) p on true`;

export const proposalsSql = `
	select ${proposalColumn} from public.proposals p
	where p.project_id = $1 and p.status in ('open', 'accepted') order by p.created_at, p.id`;

export const touchedSql = `
	select c.next, k.scope_id::text
	from (${nextPosition}) c
	left join (
		select scope_id from public.files where changed_xid >= $1::text::xid8
		union
		select scope_id from asura.deleted_files where changed_xid >= $1::text::xid8
		union
		select project_id from public.proposals where changed_xid >= $1::text::xid8
	) k on true`;

export const readSql = `
	select c.next, k.scope_id::text, k.id::text as changed_id, k.rev::float8 as changed_rev, ${proposalColumn}, ${fileColumns}
	from (${nextPosition}) c
	left join (
		${changedIn('any($1::text[]::uuid[])')}
	) k on true
	left join public.files f on f.id = k.id
	left join public.proposals p on p.id = k.id`;

/** The same sum as digestOf() in shared/events.ts. */
export const digestSql = `
	select scope_id::text, active,
		files::text || '-' || lpad(to_hex((head % 4294967296)::bigint), 8, '0')
			|| lpad(to_hex((tail % 4294967296)::bigint), 8, '0') as digest
	from (
		select scope_id, count(*) as files,
			(count(*) filter (where status in ('pending', 'processing')))::float8 as active,
			sum((('x' || left(id::text, 8))::bit(32)::bigint * (rev + 1)) & 4294967295) as head,
			sum((('x' || right(id::text, 8))::bit(32)::bigint * (rev + 1)) & 4294967295) as tail
		from public.files where scope_id = any($1::text[]::uuid[]) group by scope_id
	) s`;

/** In a restored dump, rows can be stamped with transactions that this database has not reached. */
export const restampSql = `
	with present as (select pg_snapshot_xmax(pg_current_snapshot()) as beyond),
	horizon as (
		update asura.stream_horizon set pruned_xid = pg_current_xact_id() from present where pruned_xid >= beyond
	),
	buried as (
		update asura.deleted_files set changed_xid = pg_current_xact_id() from present where changed_xid >= beyond
	),
	proposed as (
		update public.proposals set changed_xid = pg_current_xact_id() from present where changed_xid >= beyond
	)
	update public.files set changed_xid = pg_current_xact_id() from present where changed_xid >= beyond`;

export const pruneSql = `
	with gone as (
		delete from asura.deleted_files where deleted_at < now() - interval '24 hours' returning changed_xid
	), horizon as (
		update asura.stream_horizon
		set pruned_xid = greatest(pruned_xid, (select max(changed_xid) from gone))
		where exists (select from gone)
	)
	select count(*)::float8 as pruned from gone`;
