-- The live stream: what resuming needs beside the files themselves, and notifications for people who are away.

-- The newest deletion whose tombstone is gone: a cursor at or before it may have missed it and starts afresh.
create table asura.stream_horizon (
	is_only boolean primary key default true check (is_only),
	pruned_xid xid8 not null
);
insert into asura.stream_horizon (pruned_xid) values ('0');

-- The safety poll asks for everybody's changes at once, whoever they are.
create index files_sweep on public.files (changed_xid);
create index deleted_files_sweep on asura.deleted_files (changed_xid);

-- Kept until one of the person's browsers says that it has shown it.
create table asura.notifications (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users (id) on delete cascade,
	event text not null check (char_length(event) between 1 and 64),
	data jsonb not null,
	created_at timestamptz not null default now()
);
create index notifications_user on asura.notifications (user_id, created_at);

alter table asura.stream_horizon enable row level security;
alter table asura.notifications enable row level security;
