-- Supabase grants nothing on new tables by itself any more (new projects since May 2026, all since October 2026), and
-- Realtime shows a row only as far as whoever listens may read it. That is the server, with the secret key.
grant select on public.files to service_role;
