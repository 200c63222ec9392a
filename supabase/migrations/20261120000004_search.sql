-- Words are found without their marks (cafe finds café), as search/query.ts folds what people type. A text of ASCII
-- only has none, and is not searched for them. A column's expression cannot be changed before Postgres 17, so the
-- column is made anew.
alter table public.chunks drop column words;
alter table public.chunks add column words tsvector generated always as (
	pg_catalog.to_tsvector(
		'pg_catalog.simple'::pg_catalog.regconfig,
		case when pg_catalog.octet_length(text) = pg_catalog.char_length(text) then text
		else pg_catalog.normalize(
			pg_catalog.regexp_replace(pg_catalog.normalize(text, 'NFKD'), '[\u0300-\u036f]+', '', 'g'),
			'NFC'
		) end
	)
) stored;
create index chunks_words on public.chunks using gin (words);
