// An index for vectors of one model, where pgvector is native: without one every search compares with all vectors of
// a person. Built while everything goes on (concurrently), by the process with the duties of one, when there are so many
// vectors that it pays. On the built-in database building takes minutes and freezes: there vectors are compared one by one.
import { createHash } from 'node:crypto';
import type { Log } from '../log.ts';
import type { Capabilities, Db } from '../platform/platform.ts';

/** Below it comparing all takes milliseconds. */
const enoughVectors = 10_000;
/** pgvector's own limit for a column of type vector. */
const mostDimensions = 2_000;

export type VectorIndexDeps = { db: Db; capabilities: Capabilities; log: Log; enough?: number };

export function createVectorIndex({ db, capabilities, log, enough = enoughVectors }: VectorIndexDeps) {
	return {
		/** For each model that has enough vectors; those of models that are gone go. */
		async build(): Promise<void> {
			if (!capabilities.hasVectors || capabilities.isExclusive) return;
			if (!(await canSearchOn(db))) return;
			const models = await readModels(db);
			const names = models.map(({ model, dimensions }) => indexName(model, dimensions));
			const { rows: found } = await db.query<{ name: string; is_valid: boolean }>(findSql);
			// One that was interrupted stays, invalid, and is in the way.
			for (const { name } of found.filter((one) => !one.is_valid || !names.includes(one.name)))
				await db.query(`drop index concurrently if exists public.${name}`);
			const valid = found.flatMap(({ name, is_valid }) => (is_valid ? [name] : []));
			for (const { model, dimensions, count } of models) {
				if (count < enough || dimensions > mostDimensions) continue;
				if (valid.includes(indexName(model, dimensions))) continue;
				log.info({ model, dimensions, vectors: count }, 'an index of vectors is built');
				await db.query(createIndexSql(model, dimensions));
			}
		}
	};
}

/** Without reading all vectors to learn their sizes: those of one model have one, or nearly all of them have. */
async function readModels(db: Db) {
	return (await db.query<{ model: string; count: number; dimensions: number }>(modelsSql)).rows;
}

/**
 * The index is everybody's and a search is one person's: only from 0.8 on pgvector goes on looking when what it found is
 * of others (pg-db.ts asks for it).
 */
async function canSearchOn(db: Db): Promise<boolean> {
	const { rows } = await db.query<{ version: string }>(
		`select extversion as version from pg_catalog.pg_extension where extname = 'vector'`
	);
	const [major = 0, minor = 0] = (rows[0]?.version ?? '').split('.').map(Number);
	return major > 0 || minor >= 8;
}

/** Names are short in Postgres, models may be long. */
export function indexName(model: string, dimensions: number): string {
	return `embeddings_hnsw_${createHash('sha256').update(`${model} ${dimensions}`).digest('hex').slice(0, 16)}`;
}

/** The column has no size of its own, since models differ: the index is on the column cast to one. */
export function createIndexSql(model: string, dimensions: number): string {
	return `create index concurrently ${indexName(model, dimensions)} on public.embeddings
		using hnsw ((embedding::extensions.vector(${dimensions})) extensions.vector_cosine_ops)
		where model = '${model.replaceAll("'", "''")}' and extensions.vector_dims(embedding) = ${dimensions}`;
}

const modelsSql = `
	select m.model, m.count::int, s.dimensions
	from (select model, count(*) as count from public.embeddings group by 1) m cross join lateral (
		select extensions.vector_dims(e.embedding) as dimensions
		from (select embedding from public.embeddings where model = m.model limit 100) e
		group by 1 order by count(*) desc limit 1
	) s`;

const findSql = `
	select c.relname as name, i.indisvalid as is_valid
	from pg_catalog.pg_class c join pg_catalog.pg_index i on i.indexrelid = c.oid
	where c.relname like 'embeddings\\_hnsw\\_%' and c.relnamespace = 'public'::pg_catalog.regnamespace`;
