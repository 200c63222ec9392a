// kill -9 while files are at work, and a new start on the same folder: whatever was accepted ends as if nothing had
// happened. What ended is compared, row by row and passage by passage, with what an undisturbed run made of the same.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { openPgliteDb } from '#lib/server/platform/embedded/pglite-db.ts';
import type { Db } from '#lib/server/platform/platform.ts';
import { makeDataDir } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { makeCsv, makeImage, makeJson, makeLongPdf, mulberry32 } from '../support/make-files.ts';
import { multipartType, type Part, partHead } from '../support/multipart.ts';
import { type ProviderDouble, startProviderDouble } from '../support/provider.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';

const pages = 300;
const random = mulberry32(2026);

let folder: string;
let dataDir: string;
let provider: ProviderDouble;
let server: TestServer;
let batch: Part[];
/** What the same files become when nobody disturbs them. */
let undisturbed: Outcome[];
let passages: number;

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
	dataDir = path.join(folder, 'data');
	await makeDataDir(dataDir);
	await mkdir(path.join(folder, 'tmp'));
	provider = await startProviderDouble({ latencyMs: 30 });
	batch = [
		{ filename: 'book.pdf', content: makeLongPdf(pages, 150) },
		{ filename: 'noise.png', content: await makeImage({ width: 700, height: 500, look: 'noise' }) },
		{ filename: 'photo.jpg', content: await makeImage({ format: 'jpeg', width: 900, height: 600 }) },
		{ filename: 'notes.md', content: '# Harbour\n\nThe uniquelantern hangs over the quay.\n' },
		{ filename: 'table.csv', content: makeCsv(['name', 'place'], rows(400)) },
		{ filename: 'orders.json', content: makeJson(rows(200)) }
	];
	await start();
	const person = await enter(server, 'undisturbed@localhost');
	await person.ended(idsOf(await uploadBatch(person)), 60_000);
	passages = paidTexts();
	await stopAndRead(async (db) => {
		undisturbed = await readOutcomes(db, 'undisturbed@localhost');
	});
	expect(undisturbed.map(({ status }) => status)).toEqual(batch.map(() => 'completed'));
}, 120_000);

// One that failed must not take the others with it.
afterEach(() => server.kill());

afterAll(async () => {
	await server?.kill();
	await provider?.close();
	await rm(folder, { recursive: true, force: true });
});

const start = async () => {
	server = await startServer({
		DATA_DIR: dataDir,
		OPENAI_BASE_URL: provider.url,
		LOG_LEVEL: 'warn',
		TMPDIR: path.join(folder, 'tmp')
	});
};

describe('kill -9', { timeout: 240_000 }, () => {
	const atBatch = () => 1 + Math.floor(random() * (pages / 64));

	it.each([
		['with the first call to the provider', (uploaded: Uploaded) => killAtCall(1, uploaded)],
		['with another one', (uploaded: Uploaded) => killAtCall(1 + atBatch(), uploaded)],
		['at some moment', (uploaded: Uploaded) => uploaded.then(() => killAfter(random() * 1_500))],
		['right after the last batch was answered', (uploaded: Uploaded) => killWhenAllIsPaid(0, uploaded)],
		['a moment after that', (uploaded: Uploaded) => killWhenAllIsPaid(random() * 60, uploaded)]
	])('%s: every file ends as it would have, and nothing is paid twice', async (moment, armKill) => {
		const email = `${moment.replaceAll(' ', '-')}@localhost`;
		await start();
		provider.paid.length = 0;
		const person = await enter(server, email);
		const uploaded = uploadBatch(person);
		const dead = armKill(uploaded);
		const accepted = await uploaded;
		await dead;
		const kept = await readKeptTexts(email);
		const paidBefore = provider.paid.length;

		await start();
		const back = await enter(server, email);
		await back.ended(idsOf(accepted), 60_000);
		await expectFoundOnce(back, accepted);
		expect(provider.paid.slice(paidBefore).filter((text) => kept.has(text))).toEqual([]);
		const paidAgain = provider.paid.filter((text) => text !== 'test').length - passages;
		// Four batches of one file may be under way; the others are one batch each.
		expect(paidAgain).toBeLessThanOrEqual(4 * 64 + 3 * 64);

		await jobsAreTidied();
		await stopAndRead(async (db) => {
			expect(await readOutcomes(db, email)).toEqual(undisturbed);
			await expectNothingLeftOver(db);
		});
	});

	it('five times in a row, at any moment', async () => {
		const email = 'five@localhost';
		await start();
		const accepted = await uploadBatch(await enter(server, email));
		let known = 0;
		for (let i = 0; i < 5; i++) {
			const person = await enter(server, email);
			// As long as something is kept between two crashes, no number of them is too many.
			await eventually(
				async () => {
					const book = (await person.list()).find(({ filename }) => filename === 'book.pdf');
					const kept = book?.status === 'completed' ? 1 : (book?.stage_progress.embedding ?? 0);
					expect(kept, JSON.stringify(book)).toBeGreaterThan(Math.min(known, 0.99));
					known = kept;
				},
				{ timeoutMs: 60_000 }
			);
			await killAfter(random() * 100);
			await start();
		}
		const back = await enter(server, email);
		await back.ended(idsOf(accepted), 60_000);
		await expectFoundOnce(back, accepted);
		await jobsAreTidied();
		await stopAndRead(async (db) => {
			expect(await readOutcomes(db, email)).toEqual(undisturbed);
			await expectNothingLeftOver(db);
		});
	});

	it('while bytes arrive: what arrived whole is kept and processed, of the rest there is nothing', async () => {
		await start();
		const person = await enter(server, 'arriving@localhost');
		const sending = request(new URL('/api/files/upload', server.url), {
			method: 'POST',
			headers: { cookie: person.cookie, origin: server.url, 'content-type': multipartType }
		});
		sending.on('error', () => undefined);
		const gone = new Promise((resolve) => sending.once('close', resolve));
		sending.write(`${partHead({ filename: 'whole.txt' })}it arrived whole\r\n`);
		sending.write(`${partHead({ filename: 'half.txt' })}${'half of it '.repeat(50_000)}`);
		await eventually(async () => expect(await person.list()).toHaveLength(1));
		await server.kill();
		await gone;

		await start();
		const back = await enter(server, 'arriving@localhost');
		const files = await back.list();
		expect(files.map(({ filename }) => filename)).toEqual(['whole.txt']);
		await back.ended(idsOf(files));
		await stopAndRead(expectNothingLeftOver);
	});

	it('leaves no blob that nobody points at, once the sweep has come by', async () => {
		const orphan = path.join(dataDir, 'files', 'b7e4f3f0-0000-4000-8000-000000000000');
		await mkdir(orphan);
		await writeFile(path.join(orphan, 'original'), 'put, and then the process was killed before the row');
		const hourAgo = new Date(Date.now() - 3_600_000);
		for (const { file } of await blobs()) await utimes(file, hourAgo, hourAgo);
		await start();
		await eventually(
			async () =>
				expect((await blobs()).map(({ key }) => key)).not.toContain(path.basename(orphan) + '/original'),
			{
				timeoutMs: 10_000
			}
		);
		await stopAndRead(expectNothingLeftOver);
	});
});

async function uploadBatch(person: Person): Promise<StoredFile[]> {
	const { status, body } = await person.upload(...batch);
	expect(status).toBe(201);
	expect(body.errors).toEqual([]);
	return body.files;
}

/** A process that died between completing a file and ending its job: the job comes back and tidies up. */
async function jobsAreTidied(): Promise<void> {
	await eventually(
		async () => {
			const metrics = await (await fetch(new URL('/metrics', server.url))).text();
			const jobs = [...metrics.matchAll(/^asura_queue_jobs\{state="(?:waiting|active)"\} (\d+)$/gm)];
			expect(jobs.map(([, count]) => count)).toEqual(['0', '0']);
		},
		{ timeoutMs: 20_000 }
	);
}

type Uploaded = Promise<StoredFile[]>;

/** The server dies when the provider is called for the n-th time from now on, but not before the upload is answered. */
function killAtCall(n: number, uploaded: Uploaded): Promise<void> {
	const from = provider.calls.length;
	return new Promise((resolve) => {
		provider.failWhen(({ number }) => {
			if (number - from === n + 1) {
				provider.failWhen(undefined);
				resolve(uploaded.then(() => server.kill()));
			}
			return undefined;
		});
	});
}

async function killAfter(ms: number): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, ms));
	await server.kill();
}

async function killWhenAllIsPaid(msLater: number, uploaded: Uploaded): Promise<void> {
	await uploaded;
	await eventually(() => expect(paidTexts()).toBe(passages), {
		timeoutMs: 60_000,
		everyMs: 1
	});
	await killAfter(msLater);
}

async function stopAndRead(read: (db: Db) => Promise<void>): Promise<void> {
	expect(await server.stop()).toBe(0);
	await withDb(read);
}

async function withDb<T>(read: (db: Db) => Promise<T>): Promise<T> {
	const db = await openPgliteDb({ dataDir: path.join(dataDir, 'db') });
	try {
		return await read(db);
	} finally {
		await db.close();
	}
}

type Outcome = Record<string, unknown> & { status: string };

/** Everything about a person's files that must not depend on what happened on the way. */
async function readOutcomes(db: Db, email: string): Promise<Outcome[]> {
	const { rows } = await db.query<Outcome>(outcomesSql, [email]);
	return rows;
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

/** Texts whose vectors are safe. */
async function readKeptTexts(email: string): Promise<Set<string>> {
	return withDb(async (db) => {
		const { rows } = await db.query<{ text: string }>(
			`select c.text from public.chunks c
			 join public.embeddings e on e.user_id = c.user_id and e.hash = c.hash
			 join auth.users u on u.id = c.user_id where u.email = $1`,
			[email]
		);
		return new Set(rows.map(({ text }) => text));
	});
}

async function expectFoundOnce(person: Person, files: readonly StoredFile[]): Promise<void> {
	const idOf = (filename: string) => files.find((file) => file.filename === filename)?.id;
	for (const [word, filename, page] of [
		['only17', 'book.pdf', 17],
		[`only${pages}`, 'book.pdf', pages],
		['uniquelantern', 'notes.md', null]
	] as const) {
		const { results } = await (await person.ask(`/api/search?q=%22${word}%22`)).json();
		expect(results).toHaveLength(1);
		expect(results[0]).toMatchObject({ page, file: { id: idOf(filename), filename } });
	}
}

/** Blobs and temporary files are exactly those that rows point at, and every job has ended. */
async function expectNothingLeftOver(db: Db): Promise<void> {
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
}

async function blobs(): Promise<{ key: string; file: string }[]> {
	const root = path.join(dataDir, 'files');
	const names = await readdir(root, { recursive: true });
	const found = names.map((key) => ({ key, file: path.join(root, key) }));
	const areFiles = await Promise.all(found.map(async ({ file }) => (await stat(file)).isFile()));
	return found.filter((_, i) => areFiles[i]);
}

function idsOf(files: readonly StoredFile[]): string[] {
	return files.map(({ id }) => id);
}

/** Different ones; not the word by which a start may learn the size of a vector. */
function paidTexts(): number {
	return new Set(provider.paid.filter((text) => text !== 'test')).size;
}

function rows(count: number): string[][] {
	return Array.from({ length: count }, (_, i) => [
		`row ${i}`,
		createHash('sha256').update(String(i)).digest('hex').slice(0, 24)
	]);
}
