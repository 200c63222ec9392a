-- What leads out of Asura and back into it: webhooks that people subscribe to, and external processors of the operator.

create table public.webhooks (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users (id) on delete cascade,
	url text not null check (char_length(url) between 1 and 2000),
	events text[] not null check (cardinality(events) > 0),
	-- In clear, because it signs. No role but the server's may read it.
	secret text not null,
	is_enabled boolean not null default true,
	-- Why it was switched off, when it was not its owner who did so.
	disabled_reason text,
	-- The first failure since a delivery last succeeded.
	failing_since timestamptz,
	created_at timestamptz not null default now()
);
create index webhooks_user on public.webhooks (user_id, created_at);

-- One row per message and webhook: what is to be sent (the outbox) and what became of it (the log).
create table asura.webhook_deliveries (
	id uuid primary key default gen_random_uuid(),
	webhook_id uuid not null references public.webhooks (id) on delete cascade,
	event text not null,
	body jsonb not null,
	status text not null default 'waiting' check (status in ('waiting', 'delivered', 'failed')),
	attempts integer not null default 0,
	next_at timestamptz not null default now(),
	-- A process has it in hand; later than this, the process is dead.
	held_until timestamptz,
	response_status integer,
	error text,
	duration_ms integer,
	attempted_at timestamptz,
	created_at timestamptz not null default clock_timestamp()
);
create index webhook_deliveries_due on asura.webhook_deliveries (next_at) where status = 'waiting';
create index webhook_deliveries_log on asura.webhook_deliveries (webhook_id, created_at desc, id desc);

-- Something happened that the owner's webhooks may want to hear of. In the transaction in which it happens: the message
-- exists if and only if the change does.
create function asura.announce(owner uuid, event_name text, data jsonb) returns void
language sql set search_path = '' as $$
	insert into asura.webhook_deliveries (webhook_id, event, body)
	select w.id, event_name, pg_catalog.jsonb_build_object(
		'type', event_name,
		'timestamp', pg_catalog.to_char(pg_catalog.clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
		'data', data
	)
	from public.webhooks w where w.user_id = owner and w.is_enabled and event_name = any (w.events)
$$;

create function asura.announce_file() returns trigger language plpgsql set search_path = '' as $$
declare
	f public.files;
begin
	if tg_op = 'DELETE' then f := old; else f := new; end if;
	perform asura.announce(
		f.user_id,
		case when tg_op = 'DELETE' then 'file.deleted' else 'file.' || f.status end,
		pg_catalog.jsonb_build_object(
			'id', f.id, 'filename', f.filename, 'file_type', f.file_type, 'size_bytes', f.size_bytes,
			'sha256', f.sha256, 'status', f.status, 'error_code', f.error_code, 'error_message', f.error_message,
			'warnings', f.warnings, 'page_count', f.page_count, 'chunk_count', f.chunk_count
		)
	);
	return null;
end $$;
create trigger files_announce_end after update of status on public.files
	for each row when (new.status is distinct from old.status and new.status in ('completed', 'failed'))
	execute function asura.announce_file();
create trigger files_announce_deletion after delete on public.files
	for each row execute function asura.announce_file();

-- A file that an external processor reads, from the first try to hand it over until it has been read.
create table asura.processor_runs (
	file_id uuid primary key references public.files (id) on delete cascade,
	-- Part of the addresses that the processor is given: those of an older run are good for nothing.
	id uuid not null default gen_random_uuid() unique,
	queued_attempt integer not null,
	-- null: it has not been heard of.
	status text check (status in ('parsing_started', 'parsing', 'parsed', 'embedding', 'embedded', 'failed')),
	message text not null default '',
	-- What was read: [{ "number", "text" }]. Kept until the file has ended.
	pages jsonb,
	-- Nothing more has to come: the file's job can go on.
	is_decided boolean not null default false,
	-- The processor has confirmed that it took the job.
	taken_at timestamptz,
	heard_at timestamptz not null default now()
);

create function asura.forget_pages_of_processor() returns trigger language plpgsql set search_path = '' as $$
begin
	update asura.processor_runs r set pages = null where r.file_id = new.id and r.pages is not null;
	return null;
end $$;
create trigger files_forget_pages after update of status on public.files
	for each row when (new.status is distinct from old.status and new.status in ('completed', 'failed', 'cancelled'))
	execute function asura.forget_pages_of_processor();

alter table public.webhooks enable row level security;
alter table asura.webhook_deliveries enable row level security;
alter table asura.processor_runs enable row level security;

revoke all on public.webhooks from anon, authenticated;
grant select (id, user_id, url, events, is_enabled, disabled_reason, failing_since, created_at)
	on public.webhooks to authenticated;
create policy webhooks_own on public.webhooks for select to authenticated using (user_id = (select auth.uid()));
