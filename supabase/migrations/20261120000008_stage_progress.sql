-- How far each stage of a file is: stages overlap, and processing_stage names only the earliest that is not finished.
alter table public.files add column stage_progress jsonb not null default '{}';
