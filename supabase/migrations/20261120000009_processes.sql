-- What several processes on one database share.

-- The folder with the files of this database, by the id that stands in it: a process with another folder would take
-- every file for lost.
create table asura.files_folder (
	is_only boolean primary key default true check (is_only),
	id uuid
);
insert into asura.files_folder default values;

-- Who processes files at the moment. The private half of the key is in that process's memory and nowhere else.
create table asura.workers (
	id uuid primary key,
	public_key text not null,
	lanes integer not null check (lanes > 0),
	seen_at timestamptz not null default now()
);

-- Passwords of protected files on their way to a worker, once for each, sealed so that only it can open them.
create table asura.passwords (
	file_id uuid not null references public.files (id) on delete cascade,
	worker_id uuid not null references asura.workers (id) on delete cascade,
	sealed text not null,
	expires_at timestamptz not null,
	primary key (file_id, worker_id)
);
create index passwords_worker on asura.passwords (worker_id);

-- What operators did.
create table asura.audit (
	id uuid primary key default gen_random_uuid(),
	at timestamptz not null default now(),
	who text not null,
	what text not null,
	details jsonb not null default '{}'
);
create index audit_at on asura.audit (at desc);

alter table asura.files_folder enable row level security;
alter table asura.workers enable row level security;
alter table asura.passwords enable row level security;
alter table asura.audit enable row level security;
