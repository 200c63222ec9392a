-- What Supabase brings and a bare Postgres or PGlite lacks. Idempotent; never run on Supabase.
do $$ begin
	if not exists (select from pg_roles where rolname = 'anon') then create role anon nologin noinherit; end if;
	if not exists (select from pg_roles where rolname = 'authenticated') then create role authenticated nologin noinherit; end if;
	if not exists (select from pg_roles where rolname = 'service_role') then
		begin
			create role service_role nologin noinherit bypassrls;
		exception when insufficient_privilege then
			-- Only a superuser may give that right; nothing off Supabase uses it.
			create role service_role nologin noinherit;
		end;
	end if;
	-- Requests run as one of them. Whoever made a role is not yet allowed to become it.
	if not (select rolsuper from pg_roles where rolname = current_user) then
		execute format('grant anon, authenticated, service_role to %I', current_user);
	end if;
end $$;

create schema if not exists auth;
create schema if not exists extensions;
grant usage on schema auth, extensions to anon, authenticated, service_role;

create table if not exists auth.users (
	id uuid primary key default gen_random_uuid(),
	email text unique,
	raw_user_meta_data jsonb not null default '{}',
	created_at timestamptz not null default now(),
	last_sign_in_at timestamptz
);
-- The provider's own name for a person: an e-mail address can change hands, a subject cannot.
create table if not exists auth.identities (
	provider text not null,
	provider_id text not null,
	user_id uuid not null references auth.users (id) on delete cascade,
	primary key (provider, provider_id)
);
alter table auth.users enable row level security;
alter table auth.identities enable row level security;

create or replace function auth.jwt() returns jsonb language sql stable as $$
	select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb
$$;
create or replace function auth.uid() returns uuid language sql stable as $$
	select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
create or replace function auth.role() returns text language sql stable as $$
	select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
$$;

-- Storage's tables, as far as our migrations touch them. Off Supabase nothing reads or writes them.
create schema if not exists storage;
create table if not exists storage.buckets (
	id text primary key,
	name text not null unique,
	public boolean not null default false
);
create table if not exists storage.objects (
	id uuid primary key default gen_random_uuid(),
	bucket_id text references storage.buckets (id),
	name text
);
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;

do $$ begin
	if not exists (select from pg_publication where pubname = 'supabase_realtime') then
		create publication supabase_realtime;
	end if;
end $$;
