-- Uploads in pieces may go into a project: what they announce counts for its owner (user_id), and whoever began one
-- (added_by) alone goes on with it. No foreign key to the project: of one that is gone its sender is told so.
alter table asura.uploads
	add column project_id uuid,
	add column added_by uuid references auth.users (id) on delete cascade;
update asura.uploads set added_by = user_id;
alter table asura.uploads alter column added_by set not null;
create index uploads_added_by on asura.uploads (added_by);
