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
		/** For each model and size of vectors that has enough of them. */
		async build(): Promise<void> {
			if (!capabilities.hasVectors || capabilities.isExclusive) return;
			if (!(await canSearchOn(db))) return;
			const { rows } = await db.query<{ model: string; dimensions: number; count: number }>(countSql, [
				enough
			]);
			for (const { model, dimensions, count } of rows) {
				if (dimensions > mostDimensions) continue;
				const name = indexName(model, dimensions);
				const { rows: known } = await db.query<{ is_valid: boolean }>(findSql, [name]);
				if (known[0]?.is_valid) continue;
				log.info({ model, dimensions, vectors: count }, 'an index of vectors is built');
				// One that was interrupted stays, invalid, and is in the way.
				if (known[0]) await db.query(`drop index concurrently if exists public.${name}`);
				await db.query(createIndexSql(model, dimensions));
			}
		}
	};
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

const countSql = `
	select model, extensions.vector_dims(embedding) as dimensions, count(*)::int as count
	from public.embeddings group by 1, 2 having count(*) >= $1::int`;

const findSql = `
	select i.indisvalid as is_valid from pg_catalog.pg_class c join pg_catalog.pg_index i on i.indexrelid = c.oid
	where c.relname = $1 and c.relnamespace = 'public'::pg_catalog.regnamespace`;
