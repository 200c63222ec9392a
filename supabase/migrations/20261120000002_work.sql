-- What the work on files needs besides the core.

-- The attempt for which the file's current job was queued: a job of an older one may not claim the file any more.
-- (`attempt` cannot say it, because it also grows when a job whose process died is delivered again.)
alter table public.files add column queued_attempt integer not null default 0;

-- A duplicate points at the oldest row with the same bytes; rows that point at none are what a person's quota counts.
create index files_duplicates on public.files (duplicate_of) where duplicate_of is not null;
create index files_usage on public.files (user_id) include (size_bytes) where duplicate_of is null;
