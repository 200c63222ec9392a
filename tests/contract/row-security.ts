// One person's session, however it asks, never meets another's rows.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Db } from '#lib/server/platform/platform.ts';

/** What a person may read, and what tells whose a row is: everybody in here is alone in a project of their own. */
const readable = new Map([
	['public.files', 'user_id'],
	['public.chunks', 'user_id'],
	['public.embeddings', 'user_id'],
	['public.webhooks', 'user_id'],
	['public.projects', 'owner_id'],
	['public.project_members', 'user_id'],
	['public.proposals', 'key'],
	['public.proposal_passages', '(select p.key from public.proposals p where p.id = proposal_id)']
]);

/** `open`: with the whole schema. */
export function rowSecurityContract(name: string, open: () => Promise<Db>): void {
	describe(`${name} keeps people apart`, () => {
		const ada = randomUUID();
		const bob = randomUUID();
		let db: Db;

		beforeAll(async () => {
			db = await open();
			for (const user of [ada, bob]) await fillEveryTable(db, user);
		});
		afterAll(() => db.close());

		const asAda = (sql: string) => db.tx((tx) => tx.query(sql), { as: { userId: ada } });

		test('every table has row security on', async () => {
			const { rows } = await db.query(`
				select oid::regclass::text as name from pg_class
				where relkind in ('r', 'p') and not relrowsecurity
					and relnamespace in ('public'::regnamespace, 'asura'::regnamespace, 'auth'::regnamespace, 'storage'::regnamespace)`);
			expect(rows).toEqual([]);
		});

		test('every table holds a row of somebody else, so that what follows means something', async () => {
			for (const table of await listTables(db)) {
				const { rowCount } = await db.query(`select from ${table}`);
				expect(rowCount, `${table} is empty: let fillEveryTable() fill it`).toBeGreaterThan(0);
			}
		});

		test('a person sees their own rows of what they may read, and no other, without any where', async () => {
			for (const [table, whose] of readable) {
				const { rows } = await asAda(`select distinct ${whose}::text as whose from ${table}`);
				expect(rows, table).toEqual([{ whose: ada }]);
			}
		});

		test('a person sees no blob, not even where a policy shows every object to everybody', async () => {
			const seen = await db
				.tx(async (tx) => {
					await tx.query(`insert into storage.buckets (id, name) values ('other', 'other')`);
					await tx.query(
						`insert into storage.objects (bucket_id, name) values ('files', 'a/text'), ('other', 'b')`
					);
					await tx.query(`create policy careless on storage.objects for all using (true)`);
					await tx.query(`grant usage on schema storage to authenticated`);
					await tx.query(`grant select, insert on storage.objects to authenticated`);
					await tx.query(`set local role authenticated`);
					throw new Seen((await tx.query('select bucket_id as name from storage.objects')).rows);
				})
				.catch((error: unknown) => (error instanceof Seen ? error.rows : Promise.reject(error)));
			expect(seen).toEqual([{ name: 'other' }]);
		});

		test('a member sees what a project holds, as long as he is one, and nothing else of its people', async () => {
			const asBob = (sql: string) => db.tx((tx) => tx.query(sql), { as: { userId: bob } });
			const { rows } = await db.query<{ id: string }>(
				'select id::text from public.projects where owner_id = $1',
				[ada]
			);
			const project = rows[0]?.id;
			const seen = async () => {
				const files = await asBob(`select id from public.files where user_id = '${ada}'`);
				const chunks = await asBob(`select text from public.chunks where user_id = '${ada}'`);
				const members = await asBob(
					`select user_id from public.project_members where project_id = '${project}'`
				);
				const proposals = await asBob(`select id from public.proposals where project_id = '${project}'`);
				const vectors = await asBob(`select hash from public.embeddings where user_id = '${ada}'`);
				return [files, chunks, members, proposals, vectors].map(({ rowCount }) => rowCount);
			};
			expect(await seen()).toEqual([0, 0, 0, 0, 0]);
			await db.query(
				`insert into public.project_members (project_id, user_id, role) values ($1, $2, 'viewer')`,
				[project, bob]
			);
			// Of two files, one is in the project.
			expect(await seen()).toEqual([1, 1, 2, 1, 0]);
			await db.query('delete from public.project_members where project_id = $1 and user_id = $2', [
				project,
				bob
			]);
			expect(await seen()).toEqual([0, 0, 0, 0, 0]);
		});

		test('nobody can ask what somebody else may do', async () => {
			await expect(asAda(`select asura.scopes_of('${bob}')`)).rejects.toMatchObject({ code: '42501' });
		});

		test('a person can read no other table at all', async () => {
			for (const table of (await listTables(db)).filter((name) => !readable.has(name))) {
				await expect(asAda(`select * from ${table}`), table).rejects.toMatchObject({ code: '42501' });
			}
		});

		describe('a person can write nothing, not even what is theirs', () => {
			test.each([
				['insert', (table: string) => `insert into ${table} default values`],
				['update', (table: string, column: string) => `update ${table} set ${column} = ${column}`],
				['delete', (table: string) => `delete from ${table}`],
				['truncate', (table: string) => `truncate ${table} cascade`]
			])('%s', async (_, write) => {
				for (const table of await listTables(db)) {
					const { rows } = await db.query<{ name: string }>(
						`select quote_ident(attname) as name from pg_attribute
						 where attrelid = $1::regclass and attnum > 0 and attgenerated = '' limit 1`,
						[table]
					);
					await expect(asAda(write(table, rows[0]?.name ?? '')), table).rejects.toMatchObject({
						code: '42501'
					});
				}
			});
		});

		test('a person cannot become somebody else for longer than the transaction, nor reach other schemas', async () => {
			await asAda(`select set_config('request.jwt.claims', '{"sub":"${bob}"}', true)`);
			expect((await asAda('select distinct user_id::text from public.files')).rows).toEqual([
				{ user_id: ada }
			]);
			const { rows } = await db.query(`
				select nspname from pg_namespace
				where has_schema_privilege('authenticated', oid, 'usage') and nspname !~ '^pg_' order by 1`);
			expect(rows.map(({ nspname }) => nspname)).toEqual([
				'auth',
				'extensions',
				'information_schema',
				'public'
			]);
		});
	});
}

/** Carries what was seen out of a transaction that must leave nothing behind. */
class Seen extends Error {
	readonly rows: unknown[];
	constructor(rows: unknown[]) {
		super('seen');
		this.rows = rows;
	}
}

async function listTables(db: Db): Promise<string[]> {
	const { rows } = await db.query<{ name: string }>(`
		select format('%I.%I', schemaname, tablename) as name from pg_tables
		where schemaname in ('public', 'asura', 'auth') order by 1`);
	return rows.map(({ name }) => name);
}

async function fillEveryTable(db: Db, user: string): Promise<void> {
	const file = randomUUID();
	await db.query(`insert into auth.users (id, email) values ($1, $2)`, [user, `${user}@example.org`]);
	await db.query(
		`insert into auth.identities (provider, provider_id, user_id) values ('test', $1::text, $1::uuid)`,
		[user]
	);
	await db.query(
		`insert into asura.sessions (user_id, provider, token_hash, expires_at) values ($1, 'test', $2, now())`,
		[user, randomUUID()]
	);
	await db.query(
		`insert into asura.api_keys (user_id, name, key_hash, hint, provider, scopes)
		values ($1, 'a key', $2, 'asura_', 'test', array['read'])`,
		[user, randomBytes(32).toString('hex')]
	);
	await db.query(
		`insert into asura.stream_tickets (user_id, source_id, ticket_hash, expires_at)
		values ($1, gen_random_uuid(), $2, now())`,
		[user, randomBytes(32).toString('hex')]
	);
	await db.query(`insert into asura.notifications (user_id, event, data) values ($1, 'e', '{}')`, [user]);
	const addFile = `insert into public.files (id, user_id, blob_id, filename, file_type, size_bytes, sha256)
		values ($1, $2, gen_random_uuid(), 'a.txt', 'text/plain', 1, repeat('0', 64))`;
	// Before the file that goes: its deletion fills the outbox.
	await db.query(
		`insert into public.webhooks (user_id, url, events, secret) values ($1, 'https://example.org', '{file.deleted}', 's')`,
		[user]
	);
	const gone = randomUUID();
	await db.query(addFile, [gone, user]);
	await db.query('delete from public.files where id = $1', [gone]);
	await db.query(addFile, [file, user]);
	await db.query(
		`insert into asura.uploads (id, user_id, added_by, filename, folder, size_bytes) values ($1, $2, $2, 'a.txt', '', 1)`,
		[randomUUID(), user]
	);
	await db.query(
		`insert into asura.stage_rates (file_type, magnitude, stage, seconds) values ('text/plain', 1, 'total', 1)
			on conflict do nothing`
	);
	await db.query(
		`insert into asura.file_stages (file_id, stage, attempt, input_hash) values ($1, 'upload', 1, 'x')`,
		[file]
	);
	const worker = randomUUID();
	await db.query(`insert into asura.workers (id, public_key, lanes) values ($1, 'k', 1)`, [worker]);
	await db.query(
		`insert into asura.passwords (file_id, worker_id, sealed, expires_at) values ($1, $2, 's', now())`,
		[file, worker]
	);
	await db.query(`insert into asura.audit (who, what) values ('ada', 'looked')`);
	await db.query('insert into asura.processor_runs (file_id, queued_attempt) values ($1, 0)', [file]);
	await db.query(
		`insert into public.chunks (file_id, ordinal, user_id, text, hash) values ($1, 0, $2, 'words', 'h')`,
		[file, user]
	);
	await fillProject(db, user);
	await db.query(
		`insert into public.embeddings (user_id, hash, model, embedding) values ($1, 'h', 'm', '[1,2]'::extensions.vector)`,
		[user]
	);
}

/** With one file of its own and a topic, named after the person, that this file suggests. */
async function fillProject(db: Db, user: string): Promise<void> {
	const { rows } = await db.query<{ id: string }>(
		`insert into public.projects (owner_id, name) values ($1, 'A project') returning id::text`,
		[user]
	);
	const project = rows[0]?.id;
	const file = randomUUID();
	const proposal = randomUUID();
	await db.query(`insert into public.project_members (project_id, user_id, role) values ($1, $2, 'owner')`, [
		project,
		user
	]);
	await db.query(
		`insert into asura.project_invitations (project_id, email, role, expires_at) values ($1, 'c@example.org', 'viewer', now())`,
		[project]
	);
	await db.query(
		`insert into public.files (id, user_id, project_id, blob_id, filename, file_type, size_bytes, sha256)
			values ($1, $2, $3, gen_random_uuid(), 'b.txt', 'text/plain', 1, repeat('1', 64))`,
		[file, user, project]
	);
	await db.query(
		`insert into public.chunks (file_id, ordinal, user_id, text, hash) values ($1, 0, $2, 'words', 'h')`,
		[file, user]
	);
	await db.query(
		`insert into public.proposals (id, project_id, key, title, confidence) values ($1, $2, $3, 'A topic', 0.5)`,
		[proposal, project, user]
	);
	await db.query(
		`insert into public.proposal_passages (proposal_id, file_id, ordinal, place) values ($1, $2, 0, 0)`,
		[proposal, file]
	);
	await db.query(`insert into asura.topic_turns (project_id, due_at) values ($1, now())`, [project]);
}
