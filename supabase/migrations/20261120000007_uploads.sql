-- Uploads that are sent in several requests, and the folder that a file was in at its sender's.
alter table public.files add column folder text not null default '' check (char_length(folder) <= 500);

-- One row per upload; its bytes lie in a folder of the server until they are whole. Announced bytes count for the quota.
create table asura.uploads (
	id uuid primary key,
	user_id uuid not null references auth.users (id) on delete cascade,
	filename text not null check (char_length(filename) between 1 and 255),
	folder text not null check (char_length(folder) <= 500),
	size_bytes bigint not null check (size_bytes > 0),
	sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
	-- Set together with the file's row: whoever asks again is told of the same file, and there is never a second one.
	file_id uuid references public.files (id) on delete cascade,
	created_at timestamptz not null default now(),
	touched_at timestamptz not null default now()
);
create index uploads_user on asura.uploads (user_id);
create index uploads_file on asura.uploads (file_id);
create index uploads_age on asura.uploads (touched_at);
alter table asura.uploads enable row level security;
