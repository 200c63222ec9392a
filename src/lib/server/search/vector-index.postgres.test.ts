// The index of vectors on a real pgvector, where Postgres has it (POSTGRES_BIN names another Postgres to try): built,
// used, and never in the way of a person with few passages among many of others.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mulberry32 } from '../../../../tests/support/make-files.ts';
import { findPostgres, type PostgresServer, startPostgres } from '../../../../tests/support/postgres.ts';
import { openPostgresPlatform } from '../../../../tests/support/postgres-platform.ts';
import { silentLog } from '../log.ts';
import { comparedAtMost, withVectors } from './candidates-sql.ts';
import { createVectorIndex, indexName } from './vector-index.ts';

const found = await findPostgres();
const why = 'reason' in found ? ` (skipped: ${found.reason})` : '';
const random = mulberry32(16);
const dimensions = 16;
const model = "it's a model";

describe.skipIf('reason' in found)(`an index of vectors on a Postgres${why}`, () => {
	let server: PostgresServer;
	let platform: Awaited<ReturnType<typeof openPostgresPlatform>>;
	let big: string;
	let small: string;

	beforeAll(async () => {
		server = await startPostgres('bin' in found ? found.bin : '');
		platform = await openPostgresPlatform(server.url);
		if (!platform.capabilities.hasVectors) return;
		big = await addPerson('big', 3000);
		small = await addPerson('small', 80);
		await build();
		await platform.db.query('analyze');
	}, 60_000);
	afterAll(async () => {
		await platform?.close();
		await server?.close();
	});
	beforeEach(({ skip }) => skip(!platform.capabilities.hasVectors, 'this Postgres has no pgvector'));

	it('is used for a person with many passages, and finds nearly all that comparing finds', async () => {
		expect(await planFor(big)).toContain(`using ${indexName(model, dimensions)}`);
		expect(await shareFound(big)).toBeGreaterThan(0.9);
	});

	it('is not asked for a person with few passages among many: all of theirs are compared', async () => {
		expect(await shareFound(small)).toBe(1);
	});

	it('is built once, again when its building was interrupted, and goes with its model', async () => {
		const [first] = await indexes();
		await build();
		expect(await indexes()).toEqual([first]);
		await platform.db.query(
			`update pg_catalog.pg_index set indisvalid = false where indexrelid = $1::text::oid`,
			[first?.oid]
		);
		await build();
		expect(await indexes()).toMatchObject([{ name: first?.name, is_valid: true }]);
		await platform.db.query('delete from public.embeddings');
		await build();
		expect(await indexes()).toEqual([]);
	});

	const build = () => createVectorIndex({ ...platform, log: silentLog, enough: 1000 }).build();

	async function indexes() {
		const { rows } = await platform.db.query<{ name: string; oid: string; is_valid: boolean }>(`
			select c.relname as name, c.oid::text, i.indisvalid as is_valid from pg_class c
			join pg_index i on i.indexrelid = c.oid where c.relname like 'embeddings_hnsw%'`);
		return rows;
	}

	/** One file that says to have more passages than are compared one by one, or not. */
	async function addPerson(name: string, count: number): Promise<string> {
		const id = await platform.addUser();
		const { rows } = await platform.db.query<{ id: string }>(
			`insert into public.files (user_id, blob_id, filename, file_type, size_bytes, sha256, status, progress, chunk_count)
			 values ($1, gen_random_uuid(), $2, 'text/plain', 1, repeat('0', 64), 'completed', 100, $3) returning id::text`,
			[id, `${name}.txt`, name === 'big' ? comparedAtMost + 1 : count]
		);
		const hashes = Array.from({ length: count }, (_, i) => `${name} ${i}`);
		await platform.db.query(
			`insert into public.chunks (file_id, ordinal, user_id, text, hash)
			 select $1, place, $2, hash, hash from unnest($3::text[]) with ordinality as u (hash, place)`,
			[rows[0]?.id, id, hashes]
		);
		await platform.db.query(
			`insert into public.embeddings (user_id, model, hash, embedding)
			 select $1, $2, hash, vector::extensions.vector from unnest($3::text[], $4::text[]) as u (hash, vector)`,
			[id, model, hashes, hashes.map(someVector)]
		);
		return id;
	}

	async function planFor(userId: string): Promise<string> {
		const { rows } = await platform.db.query<{ 'QUERY PLAN': string }>(
			`explain (analyze, timing off) ${withVectors(dimensions)}`,
			paramsOf(userId, someVector())
		);
		return rows.map((row) => row['QUERY PLAN']).join('\n');
	}

	/** Of the nearest by comparing with each. */
	async function shareFound(userId: string): Promise<number> {
		let [wanted, got] = [0, 0];
		for (let i = 0; i < 10; i++) {
			const vector = someVector();
			const { rows: nearest } = await platform.db.query<{ ordinal: number }>(nearestSql, [
				userId,
				model,
				vector
			]);
			const { rows } = await platform.db.query<{ list: string; ordinal: number }>(
				withVectors(dimensions),
				paramsOf(userId, vector)
			);
			const ordinals = rows.flatMap(({ list, ordinal }) => (list === 'vector' ? [ordinal] : []));
			wanted += nearest.length;
			got += nearest.filter(({ ordinal }) => ordinals.includes(ordinal)).length;
		}
		return got / wanted;
	}
});

const nearestSql = `
	select c.ordinal from public.embeddings e join public.chunks c on c.user_id = e.user_id and c.hash = e.hash
	where e.user_id = $1 and e.model = $2
	order by (e.embedding operator(extensions.<=>) $3::extensions.vector) + 0 limit 60`;

function paramsOf(userId: string, vector: string): unknown[] {
	const noFilter = [null, null, null, null, null];
	return [userId, null, 'nothing', '', '', [], ['%nothing%'], ...noFilter, vector, model, false];
}

function someVector(): string {
	return `[${Array.from({ length: dimensions }, () => (random() - 0.5).toFixed(4)).join(',')}]`;
}
