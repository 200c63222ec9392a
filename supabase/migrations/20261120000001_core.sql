-- People, sessions, files and what processing makes of them. The only schema, for Supabase, Postgres and PGlite
-- (off Supabase, supabase/shim.sql runs first). Every statement qualifies its names: search_path may be empty.

-- Without pgvector (Debian 12 has no package of it) vectors are kept as text, and search is by words only.
do $$ begin
	if exists (select from pg_catalog.pg_available_extensions where name = 'vector') then
		create extension if not exists vector with schema extensions;
	else
		create domain extensions.vector as pg_catalog.text;
	end if;
end $$;

-- What PostgREST must never see lives here.
create schema if not exists asura;
revoke all on schema asura from public;

create table asura.sessions (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users (id) on delete cascade,
	token_hash text not null unique,
	-- The way of signing in that it came from; it ends when that one is no longer configured.
	provider text not null,
	user_agent text not null default '',
	created_at timestamptz not null default now(),
	last_seen_at timestamptz not null default now(),
	expires_at timestamptz not null
);
create index sessions_user on asura.sessions (user_id);
create index sessions_expiry on asura.sessions (expires_at);

create table public.files (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users (id) on delete cascade,
	-- Duplicates of one user share the bytes: the blob goes when its last row goes.
	blob_id uuid not null,
	filename text not null check (char_length(filename) between 1 and 255),
	file_type text not null,
	size_bytes bigint not null check (size_bytes > 0),
	sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
	status text not null default 'pending'
		check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled')),
	progress real not null default 0 check (progress between 0 and 100),
	processing_stage text
		check (processing_stage in ('upload', 'compression', 'extraction', 'chunking', 'embedding')),
	activity jsonb,
	error_code text,
	error_message text,
	warnings jsonb not null default '[]',
	page_count integer,
	chunk_count integer,
	compressed_bytes bigint,
	-- Which derived blobs exist: { "compressed": { "type", "bytes" }, "thumbnail": …, "text": … }
	variants jsonb not null default '{}',
	duplicate_of uuid references public.files (id) on delete set null,
	queue_position integer,
	eta_seconds real,
	-- Fences off the writes of an older attempt; grows by one whenever processing starts, is cancelled or retried.
	attempt integer not null default 0,
	rev bigint not null default 1,
	changed_xid xid8 not null default pg_catalog.pg_current_xact_id(),
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	check ((progress = 100) = (status = 'completed'))
);
create index files_feed on public.files (user_id, changed_xid);
create index files_list on public.files (user_id, created_at desc, id desc);
create index files_blob on public.files (blob_id);
create index files_same on public.files (user_id, sha256);
create index files_open on public.files (created_at) where status in ('pending', 'processing');

-- A deleted file stays visible to streams that were away, for a day, as an id and nothing else.
create table asura.deleted_files (
	id uuid primary key,
	user_id uuid not null,
	rev bigint not null,
	changed_xid xid8 not null default pg_catalog.pg_current_xact_id(),
	deleted_at timestamptz not null default now()
);
create index deleted_files_feed on asura.deleted_files (user_id, changed_xid);
create index deleted_files_age on asura.deleted_files (deleted_at);

create function asura.stamp_file() returns trigger language plpgsql set search_path = '' as $$
begin
	if tg_op = 'UPDATE' then
		new.rev := old.rev + 1;
		new.updated_at := pg_catalog.clock_timestamp();
	end if;
	new.changed_xid := pg_catalog.pg_current_xact_id();
	return new;
end $$;
create trigger files_stamp before insert or update on public.files
	for each row execute function asura.stamp_file();

create function asura.bury_file() returns trigger language plpgsql set search_path = '' as $$
begin
	insert into asura.deleted_files (id, user_id, rev) values (old.id, old.user_id, old.rev + 1)
		on conflict (id) do nothing;
	return old;
end $$;
create trigger files_bury after delete on public.files
	for each row execute function asura.bury_file();

-- One row per file, attempt and stage: what a retry or a restart can skip, and how long it took.
create table asura.file_stages (
	file_id uuid not null references public.files (id) on delete cascade,
	stage text not null,
	attempt integer not null,
	input_hash text not null,
	result jsonb,
	started_at timestamptz not null default now(),
	finished_at timestamptz,
	primary key (file_id, stage)
);

create table public.chunks (
	file_id uuid not null references public.files (id) on delete cascade,
	ordinal integer not null,
	user_id uuid not null,
	page integer,
	section text,
	text text not null,
	hash text not null,
	words tsvector generated always as (pg_catalog.to_tsvector('pg_catalog.simple'::pg_catalog.regconfig, text)) stored,
	primary key (file_id, ordinal)
);
create index chunks_user_hash on public.chunks (user_id, hash);
create index chunks_words on public.chunks using gin (words);

-- One vector per person, text and model: the same text is never paid twice, and a new model builds beside the old.
create table public.embeddings (
	user_id uuid not null references auth.users (id) on delete cascade,
	hash text not null,
	model text not null,
	embedding extensions.vector not null,
	created_at timestamptz not null default now(),
	primary key (user_id, model, hash)
);

alter table asura.sessions enable row level security;
alter table asura.deleted_files enable row level security;
alter table asura.file_stages enable row level security;
alter table public.files enable row level security;
alter table public.chunks enable row level security;
alter table public.embeddings enable row level security;

-- People read their own rows; only the server writes.
revoke all on public.files, public.chunks, public.embeddings from anon, authenticated;
grant usage on schema public to authenticated;
grant select on public.files, public.chunks, public.embeddings to authenticated;

create policy files_own on public.files for select to authenticated using (user_id = (select auth.uid()));
create policy chunks_own on public.chunks for select to authenticated using (user_id = (select auth.uid()));
create policy embeddings_own on public.embeddings for select to authenticated using (user_id = (select auth.uid()));

alter publication supabase_realtime add table public.files;
