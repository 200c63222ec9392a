-- Projects: files that several people share. A file's scope is its project or, without one, its person; lists, streams
-- and digests are of one scope each. The files of a project belong to its owner (user_id), whose storage they take.
create table public.projects (
	id uuid primary key default gen_random_uuid(),
	owner_id uuid not null references auth.users (id) on delete cascade,
	name text not null check (char_length(name) between 1 and 100),
	created_at timestamptz not null default now()
);
create index projects_owner on public.projects (owner_id);

create table public.project_members (
	project_id uuid not null references public.projects (id) on delete cascade,
	user_id uuid not null references auth.users (id) on delete cascade,
	role text not null check (role in ('owner', 'editor', 'viewer')),
	created_at timestamptz not null default now(),
	primary key (user_id, project_id)
);
create index project_members_project on public.project_members (project_id);

-- By address, whether or not it has an account; gone when it is accepted, declined or revoked.
create table asura.project_invitations (
	id uuid primary key default gen_random_uuid(),
	project_id uuid not null references public.projects (id) on delete cascade,
	email text not null check (email = lower(email)),
	role text not null check (role in ('editor', 'viewer')),
	created_at timestamptz not null default now(),
	expires_at timestamptz not null,
	unique (project_id, email)
);
create index project_invitations_email on asura.project_invitations (email);
create index project_invitations_expiry on asura.project_invitations (expires_at);

-- The one place that knows who may do what: the scopes in which a person has at least this role. Outside of row-level
-- security, so that no policy asks another one.
create function asura.scopes_of(person uuid, at_least text default 'viewer') returns setof uuid
language sql stable security definer set search_path = '' as $$
	select person where person is not null
	union all
	select m.project_id from public.project_members m
	where m.user_id = person and (at_least = 'viewer' or m.role = at_least or m.role = 'owner')
$$;
revoke all on function asura.scopes_of(uuid, text) from public;
grant execute on function asura.scopes_of(uuid, text) to authenticated;

-- A project that goes gives its files back to their person.
alter table public.files add column project_id uuid references public.projects (id) on delete set null;
alter table public.files add column scope_id uuid not null generated always as (coalesce(project_id, user_id)) stored;
drop index public.files_feed;
create index files_feed on public.files (scope_id, changed_xid);
create index files_scope on public.files (scope_id, created_at desc, id desc);
create index files_project on public.files (project_id) where project_id is not null;

alter table asura.deleted_files add column scope_id uuid;
update asura.deleted_files set scope_id = user_id;
alter table asura.deleted_files alter column scope_id set not null;
drop index asura.deleted_files_feed;
create index deleted_files_feed on asura.deleted_files (scope_id, changed_xid);

create or replace function asura.bury_file() returns trigger language plpgsql set search_path = '' as $$
begin
	insert into asura.deleted_files (id, user_id, scope_id, rev) values (old.id, old.user_id, old.scope_id, old.rev + 1)
		on conflict (id) do nothing;
	return old;
end $$;

-- Topics that a project's files suggest. What people decided about one survives: a row is found again by its key.
create table public.proposals (
	id uuid primary key default gen_random_uuid(),
	project_id uuid not null references public.projects (id) on delete cascade,
	-- The phrase that it was found by.
	key text not null,
	title text not null check (char_length(title) between 1 and 100),
	-- Who gave the title: words of the files, a chat model, or a member, whose word stays.
	titled_by text not null default 'files' check (titled_by in ('files', 'model', 'member')),
	-- gone: the files do not suggest it any more.
	status text not null default 'open' check (status in ('open', 'accepted', 'dismissed', 'gone')),
	confidence real not null check (confidence between 0 and 1),
	rev bigint not null default 1,
	changed_xid xid8 not null default pg_catalog.pg_current_xact_id(),
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	unique (project_id, key)
);
create unique index proposals_tag on public.proposals (project_id, lower(title)) where status = 'accepted';
create index proposals_feed on public.proposals (project_id, changed_xid);
create index proposals_sweep on public.proposals (changed_xid);

create trigger proposals_stamp before insert or update on public.proposals
	for each row execute function asura.stamp_file();

-- The passages that support one, best first; those of an accepted one say which files have the tag.
create table public.proposal_passages (
	proposal_id uuid not null references public.proposals (id) on delete cascade,
	file_id uuid not null references public.files (id) on delete cascade,
	ordinal integer not null,
	place integer not null,
	primary key (proposal_id, file_id, ordinal)
);
create index proposal_passages_file on public.proposal_passages (file_id);

-- Projects whose topics are to be found anew, and when. No foreign key: whoever writes here holds a file's row, and must
-- not wait for one who deletes the project.
create table asura.topic_turns (
	project_id uuid primary key,
	due_at timestamptz not null,
	-- Grows with each change: who has worked on an older one is not done.
	turn bigint not null default 1
);
create index topic_turns_due on asura.topic_turns (due_at);

create function asura.ask_for_topics() returns trigger language plpgsql set search_path = '' as $$
begin
	insert into asura.topic_turns as t (project_id, due_at)
		values (coalesce(new.project_id, old.project_id), pg_catalog.now() + interval '2 seconds')
		on conflict (project_id) do update set turn = t.turn + 1;
	return null;
end $$;
create trigger files_topics after update of status on public.files for each row
	when (new.project_id is not null and old.status <> new.status and (old.status = 'completed' or new.status = 'completed'))
	execute function asura.ask_for_topics();
create trigger files_topics_gone after delete on public.files for each row
	when (old.project_id is not null) execute function asura.ask_for_topics();

alter table public.projects enable row level security;
alter table public.project_members enable row level security;
alter table asura.project_invitations enable row level security;
alter table public.proposals enable row level security;
alter table public.proposal_passages enable row level security;
alter table asura.topic_turns enable row level security;

revoke all on public.projects, public.project_members, public.proposals, public.proposal_passages from anon, authenticated;
grant select on public.projects, public.project_members, public.proposals, public.proposal_passages to authenticated;

-- Members read what their projects hold; still only the server writes.
create policy projects_member on public.projects for select to authenticated
	using (id in (select asura.scopes_of((select auth.uid()))));
create policy project_members_member on public.project_members for select to authenticated
	using (project_id in (select asura.scopes_of((select auth.uid()))));
create policy proposals_member on public.proposals for select to authenticated
	using (project_id in (select asura.scopes_of((select auth.uid()))));
create policy proposal_passages_member on public.proposal_passages for select to authenticated
	using (exists (select from public.proposals p where p.id = proposal_id));
drop policy files_own on public.files;
create policy files_scope on public.files for select to authenticated
	using (scope_id in (select asura.scopes_of((select auth.uid()))));
drop policy chunks_own on public.chunks;
create policy chunks_scope on public.chunks for select to authenticated
	using (exists (select from public.files f where f.id = file_id));
