-- Where the bytes of files are kept on Supabase. Off Supabase these are the shim's empty tables.

-- One that is there already, perhaps made by hand, must not be open to everybody.
insert into storage.buckets (id, name, public) values ('files', 'files', false)
	on conflict (id) do update set public = false;

-- Nobody but the server, with the secret key, reads or writes blobs: who may see a file is decided by its row, and what
-- was uploaded leaves us only with our headers. So no policy permits anything, and row-level security refuses. This one
-- is restrictive: it holds also against policies that another app of the same project adds for "all objects".
create policy files_are_the_servers on storage.objects as restrictive for all to anon, authenticated
	using (bucket_id operator(pg_catalog.<>) 'files')
	with check (bucket_id operator(pg_catalog.<>) 'files');
