// The words of the statement, and that nothing is built where it must not be; what a real pgvector makes of it is in
// vector-index.postgres.test.ts.
import { expect, it } from 'vitest';
import { openTestPlatform } from '../../../../tests/support/database.ts';
import { silentLog } from '../log.ts';
import { withVectors } from './candidates-sql.ts';
import { createIndexSql, createVectorIndex, indexName } from './vector-index.ts';

it('has a name of its own for each model and size, which fits', () => {
	const names = [indexName('a', 3), indexName('a', 4), indexName('b', 3), indexName('m'.repeat(300), 1536)];
	expect(new Set(names).size).toBe(4);
	for (const name of names) expect(name).toMatch(/^embeddings_hnsw_[0-9a-f]{16}$/);
});

it('is built while others write, of one model, with its size, and quotes what the model is called', () => {
	const sql = createIndexSql("it's", 1536).replaceAll(/\s+/g, ' ');
	expect(sql).toBe(
		`create index concurrently ${indexName("it's", 1536)} on public.embeddings ` +
			'using hnsw ((embedding::extensions.vector(1536)) extensions.vector_cosine_ops) ' +
			`where model = 'it''s' and extensions.vector_dims(embedding) = 1536`
	);
});

it('is on the very expression by which a search orders', () => {
	expect(withVectors(1536)).toContain(
		'order by (e.embedding::extensions.vector(1536) operator(extensions.<=>) $13::extensions.vector) limit'
	);
	expect(withVectors(1536)).toContain('extensions.vector_dims(e.embedding) = 1536');
});

it('is built neither on the built-in database nor where there is no pgvector', async () => {
	const platform = await openTestPlatform();
	await createVectorIndex({ ...platform, log: silentLog, enough: 0 }).build();
	const capabilities = { ...platform.capabilities, isExclusive: false, hasVectors: false };
	await createVectorIndex({ ...platform, capabilities, log: silentLog, enough: 0 }).build();
	const { rowCount } = await platform.db.query(`select from pg_class where relname like 'embeddings_hnsw%'`);
	expect(rowCount).toBe(0);
	await platform.close();
});
