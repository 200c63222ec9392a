// $1 person, $2 file or null, $3 words as typed, $4 tsquery of all words, $5 tsquery of any, $6 words of scripts without
// spaces, $7 patterns that a file's name must match (cheap, before its words are made), $8 media types or null, $9 and
// $10 when files were added: not before, before, $11 project or null, $12 tag or null; with vectors $13 vector, $14 model,
// $15 whether only some files are meant.
// A Postgres without pgvector knows no such type: hence two statements.

/** Of each list. */
const listLength = 60;
/** Vectors that are compared one by one; more are asked of the index, where there is one. */
export const comparedAtMost = 10_000;
/** Passages with all words, beyond which those with some of them are not looked for. */
const enough = 20;
/** Vectors are kept by owner, and a project's owner has files that are not the project's. */
const owners = 'array(select distinct user_id from mine)';
/** Words that stand nearly everywhere are ranked among so many passages, not among all. */
const rankedAtMost = 3000;

/**
 * Where the passages that are meant are few, all are compared. An index (vector-index.ts) is everybody's: it would look
 * at those of thousands of others first, and find fewer. Only one of the two branches runs. A distance that something is
 * added to is not the index's.
 */
const vectorList = (dimensions: number) => `
	few as materialized (
		select coalesce(sum(chunk_count), 0) <= ${comparedAtMost} as are_few from mine
	), near as materialized (
		(select of_owner.* from (select distinct user_id from mine) owner cross join lateral (
			${nearest(dimensions)} and e.user_id = owner.user_id
			order by ${distance(dimensions)} + 0 limit ${listLength}
		) of_owner where (select are_few from few) order by score desc limit ${listLength})
		union all
		(${nearest(dimensions)} and e.user_id = any (${owners}) and not (select are_few from few)
			order by ${distance(dimensions)} limit ${listLength})
	), vector as (
		select c.file_id, c.ordinal, near.score from near
		join public.chunks c on c.user_id = near.user_id and c.hash = near.hash and c.file_id in (select id from mine)
	)`;

/** Cast to its size, as the index on it is. */
const distance = (dimensions: number) =>
	`(e.embedding::extensions.vector(${dimensions}) operator(extensions.<=>) $13::extensions.vector)`;
const nearest = (dimensions: number) => `
	select e.user_id, e.hash, 1 - ${distance(dimensions)} as score from public.embeddings e
	where e.model = $14 and extensions.vector_dims(e.embedding) = ${dimensions}
		and (not ($15::boolean or (select are_others from foreign_files)) or (e.user_id, e.hash) in (
			select c.user_id, c.hash from public.chunks c where c.file_id in (select id from mine)
		))`;
const noVectorList = 'vector as (select null::uuid as file_id, 0 as ordinal, 0 as score where false)';

export const withVectors = (dimensions: number) => statement(vectorList(dimensions));
export const withoutVectors = statement(noVectorList);

function statement(vectors: string): string {
	return `
	with mine as materialized (
		select f.id, f.folder || '/' || f.filename as filename, f.user_id, f.chunk_count from public.files f
		where f.scope_id = any (array(select asura.scopes_of($1))) and f.status in ('completed', 'processing', 'pending')
			and ($2::uuid is null or f.id = $2::uuid)
			and ($8::text[] is null or f.file_type = any($8::text[]))
			and ($9::text is null or f.created_at >= $9::text::timestamptz)
			and ($10::text is null or f.created_at < $10::text::timestamptz)
			and ($11::text is null or f.project_id = $11::text::uuid)
			and ($12::text is null or exists (
				select from public.proposal_passages s join public.proposals p on p.id = s.proposal_id
				where s.file_id = f.id and p.status = 'accepted' and lower(p.title) = lower($12::text)
			))
	), foreign_files as materialized (
		select exists (
			select from public.files f
			where f.user_id = any (${owners}) and f.scope_id <> all (array(select asura.scopes_of($1)))
		) as are_others
	), q as materialized (
		select websearch_to_tsquery('simple', $3) || to_tsquery('simple', $4) as words,
			to_tsquery('simple', $5) as some_words
	), words as materialized (
		select file_id, ordinal, ts_rank_cd(words, (select words from q), 1) as score from (
			select c.file_id, c.ordinal, c.words from public.chunks c
			where c.user_id = any (${owners}) and c.words @@ (select words from q) and c.file_id in (select id from mine)
			limit ${rankedAtMost}
		) c order by score desc, file_id, ordinal limit ${listLength}
	), some_words as (
		select file_id, ordinal, ts_rank(words, (select some_words from q), 1) as score from (
			select c.file_id, c.ordinal, c.words from public.chunks c
			where (select count(*) from words) < ${enough} and c.user_id = any (${owners})
				and c.words @@ (select some_words from q) and c.file_id in (select id from mine)
			limit ${rankedAtMost}
		) c order by score desc, file_id, ordinal limit ${listLength}
	), inside as (
		select c.file_id, c.ordinal, 1 as score from public.chunks c
		where cardinality($6::text[]) > 0 and c.user_id = any (${owners}) and c.file_id in (select id from mine)
			and not exists (select from unnest($6::text[]) word where position(word in c.text) = 0)
		order by c.file_id, c.ordinal limit ${listLength}
	), ${vectors}, named as materialized (
		select m.id, ${wordsOf("translate(m.filename, '/._-()[]', '        ')")} as words from mine m
		where m.filename ilike all ($7::text[]) or octet_length(m.filename) <> char_length(m.filename)
	), name as (
		select id as file_id, 0 as ordinal, ts_rank(words, (select words from q)) as score
		from named where words @@ (select words from q) order by score desc, id limit ${listLength}
	), found as (
		select 'words' as list, * from words union all select 'some_words', * from some_words union all
		select 'inside', * from inside union all select 'vector', * from vector union all select 'name', * from name
	)
	select list, file_id::text, ordinal, score::float8 from found order by list, score desc, file_id, ordinal`;
}

/** As the column public.chunks.words is made. */
function wordsOf(text: string): string {
	const bare = `regexp_replace(normalize(${text}, NFKD), '[\\u0300-\\u036f]+', '', 'g')`;
	return `to_tsvector('simple', normalize(${bare}, NFC))`;
}
