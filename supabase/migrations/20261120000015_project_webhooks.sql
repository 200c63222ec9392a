-- A webhook of a person hears of her own files and projects, one of a project of that project only. It goes with the
-- membership of whoever made it: its address is that person's.
alter table public.webhooks
	add column project_id uuid,
	-- The secret before the last change of it; it signs too, until then.
	add column previous_secret text,
	add column previous_secret_until timestamptz,
	add foreign key (user_id, project_id) references public.project_members (user_id, project_id) on delete cascade;
create index webhooks_project on public.webhooks (project_id) where project_id is not null;

drop policy webhooks_own on public.webhooks;
create policy webhooks_seen on public.webhooks for select to authenticated using (
	user_id = (select auth.uid()) or project_id in (select asura.scopes_of((select auth.uid()), 'editor'))
);
grant select (project_id, previous_secret_until) on public.webhooks to authenticated;

drop function asura.announce(uuid, text, jsonb);
-- Something happened that webhooks may want to hear of: those of these people, and those of the project. In the
-- transaction in which it happens: the message exists if and only if the change does.
create function asura.announce(people uuid[], project uuid, event_name text, data jsonb) returns void
language sql set search_path = '' as $$
	insert into asura.webhook_deliveries (webhook_id, event, body)
	select w.id, event_name, pg_catalog.jsonb_build_object(
		'type', event_name,
		'timestamp', pg_catalog.to_char(pg_catalog.clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
		'data', data
	)
	from public.webhooks w
	where (w.user_id = any (people) and w.project_id is null or w.project_id = project)
		and w.is_enabled and event_name = any (w.events)
$$;

create or replace function asura.announce_file() returns trigger language plpgsql set search_path = '' as $$
declare
	f public.files;
begin
	if tg_op = 'DELETE' then f := old; else f := new; end if;
	perform asura.announce(
		array[f.user_id],
		f.project_id,
		case when tg_op = 'DELETE' then 'file.deleted' else 'file.' || f.status end,
		pg_catalog.jsonb_build_object(
			'id', f.id, 'project_id', f.project_id, 'filename', f.filename, 'file_type', f.file_type,
			'size_bytes', f.size_bytes, 'sha256', f.sha256, 'status', f.status, 'error_code', f.error_code,
			'error_message', f.error_message, 'warnings', f.warnings, 'page_count', f.page_count,
			'chunk_count', f.chunk_count
		)
	);
	return null;
end $$;
