// Where servers are killed: one data folder that outlives them, the provider they all call, and what must hold of that
// folder afterwards, whatever happened on the way.
import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { openPgliteDb } from '#lib/server/platform/embedded/pglite-db.ts';
import type { Db } from '#lib/server/platform/platform.ts';
import { makeDataDir } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { Part } from '../support/multipart.ts';
import { startProviderDouble } from '../support/provider.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { startServer, type TestServer } from '../support/server.ts';
import type { Person } from './person.ts';

export type CrashSite = Awaited<ReturnType<typeof openCrashSite>>;

export type Outcome = Record<string, unknown> & { status: string };

export async function openCrashSite({ latencyMs }: { latencyMs: number }) {
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
	const dataDir = path.join(folder, 'data');
	await makeDataDir(dataDir);
	await mkdir(path.join(folder, 'tmp'));
	const provider = await startProviderDouble({ latencyMs });
	let server: TestServer | undefined;

	async function blobs(): Promise<{ key: string; file: string }[]> {
		const root = path.join(dataDir, 'files');
		const names = await readdir(root, { recursive: true });
		const found = names.map((key) => ({ key, file: path.join(root, key) }));
		const areFiles = await Promise.all(found.map(async ({ file }) => (await stat(file)).isFile()));
		return found.filter((_, i) => areFiles[i]);
	}

	async function start(): Promise<TestServer> {
		server = await startServer({
			DATA_DIR: dataDir,
			OPENAI_BASE_URL: provider.url,
			LOG_LEVEL: 'warn',
			TMPDIR: path.join(folder, 'tmp')
		});
		return server;
	}

	return {
		provider,

		start,

		async stopAndRead(read: (db: Db) => Promise<void>): Promise<void> {
			expect(await server?.stop()).toBe(0);
			await withDb(path.join(dataDir, 'db'), read);
		},

		/** Texts of this person whose vectors were safe when the server was killed; its database is left as it was. */
		async readKeptTexts(email: string): Promise<Set<string>> {
			const copy = path.join(folder, 'copy');
			await cp(path.join(dataDir, 'db'), copy, { recursive: true });
			try {
				return await withDb(copy, async (db) => {
					const { rows } = await db.query<{ text: string }>(keptSql, [email]);
					return new Set(rows.map(({ text }) => text));
				});
			} finally {
				await rm(copy, { recursive: true });
			}
		},

		/** A process that died between completing a file and ending its job: the job comes back and tidies up. */
		async jobsAreTidied(): Promise<void> {
			await eventually(
				async () => {
					const metrics = await (await fetch(new URL('/metrics', server?.url))).text();
					const jobs = [...metrics.matchAll(/^asura_queue_jobs\{state="(?:waiting|active)"\} (\d+)$/gm)];
					expect(jobs.map(([, count]) => count)).toEqual(['0', '0']);
				},
				{ timeoutMs: 20_000 }
			);
		},

		/** Starts a server whose first sweep finds something of a process that was killed between a blob and its row. */
		async startAndSweep(): Promise<TestServer> {
			const orphan = path.join(dataDir, 'files', randomUUID());
			await mkdir(orphan);
			await writeFile(path.join(orphan, 'original'), 'put, and then the process was killed before the row');
			const hourAgo = new Date(Date.now() - 3_600_000);
			for (const { file } of await blobs()) await utimes(file, hourAgo, hourAgo);
			const started = await start();
			await eventually(() => expect(started.output()).toMatch(/"orphanBlobs":[1-9]/), { timeoutMs: 20_000 });
			return started;
		},

		/** Blobs and temporary files are exactly those that rows point at, and every job has ended. */
		async expectNothingLeftOver(db: Db): Promise<void> {
			const { rows } = await db.query<{ blob_id: string; variants: string[] }>(
				`select blob_id::text, array(select jsonb_object_keys(variants)) as variants from public.files`
			);
			const wanted = rows.flatMap(({ blob_id, variants }) =>
				['original', ...variants].map((one) => `${blob_id}/${one}`)
			);
			expect((await blobs()).map(({ key }) => key).toSorted()).toEqual([...new Set(wanted)].toSorted());
			expect(await readdir(path.join(folder, 'tmp'))).toEqual([]);
			const jobs = await db.query(
				`select name, state from pgboss.job where state in ('created', 'retry', 'active')`
			);
			expect(jobs.rows.filter(({ name }) => String(name).startsWith('files'))).toEqual([]);
		},

		/** Different ones that were paid; not the word by which a start may learn the size of a vector. */
		paidTexts: () => provider.paid.filter((text) => text !== 'test'),

		async dispose(): Promise<void> {
			await server?.kill();
			await provider.close();
			await removeFolder(folder);
		}
	};
}

/** Everything about a person's files that must not depend on what happened on the way. */
export async function readOutcomes(db: Db, email: string): Promise<Outcome[]> {
	const { rows } = await db.query<Outcome>(outcomesSql, [email]);
	return rows;
}

/** Each of these words leads to one passage of one file. */
export async function expectFoundOnce(
	person: Person,
	files: readonly StoredFile[],
	words: Record<string, { filename: string; page: number | null }>
): Promise<void> {
	for (const [word, { filename, page }] of Object.entries(words)) {
		const { results } = await (await person.ask(`/api/search?q=%22${word}%22`)).json();
		const id = files.find((file) => file.filename === filename)?.id;
		expect(results, word).toMatchObject([{ page, file: { id, filename } }]);
	}
}

export async function uploadAll(person: Person, parts: Part[]): Promise<StoredFile[]> {
	const { status, body } = await person.upload(...parts);
	expect(status).toBe(201);
	expect(body.errors).toEqual([]);
	return body.files;
}

export function idsOf(files: readonly StoredFile[]): string[] {
	return files.map(({ id }) => id);
}

async function withDb<T>(dataDir: string, read: (db: Db) => Promise<T>): Promise<T> {
	const db = await openPgliteDb({ dataDir });
	try {
		return await read(db);
	} finally {
		await db.close();
	}
}

const outcomesSql = `
	select f.filename, f.file_type, f.size_bytes, f.sha256, f.status, f.progress, f.processing_stage, f.activity,
		f.error_code, f.warnings, f.page_count, f.chunk_count, f.compressed_bytes, f.variants, f.duplicate_of, c.chunks
	from public.files f
	join auth.users u on u.id = f.user_id
	left join lateral (
		select jsonb_agg(jsonb_build_array(c.ordinal, c.page, c.section, c.text, c.hash, e.embedding is not null)
			order by c.ordinal) as chunks
		from public.chunks c
		left join public.embeddings e on e.user_id = c.user_id and e.hash = c.hash
		where c.file_id = f.id
	) c on true
	where u.email = $1 order by f.filename`;

const keptSql = `
	select c.text from public.chunks c
	join public.embeddings e on e.user_id = c.user_id and e.hash = c.hash
	join auth.users u on u.id = c.user_id where u.email = $1`;
