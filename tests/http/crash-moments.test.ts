// kill -9 in steps of 100 ms through the two seconds after the last batch of vectors was answered: the moments in which
// a file is completed. Each start mends what the kill before it left, and is killed itself a little later than that.
// (crash.test.ts has the random moments.)
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { openPgliteDb } from '#lib/server/platform/embedded/pglite-db.ts';
import { makeDataDir } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { makeLongPdf } from '../support/make-files.ts';
import { type ProviderDouble, startProviderDouble } from '../support/provider.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter } from './person.ts';

const pages = 150;
const undisturbed = 'undisturbed@localhost';
const steps = Array.from({ length: 21 }, (_, i) => i * 100);

let folder: string;
let provider: ProviderDouble;
let server: TestServer;
let parts: { filename: string; content: string | Buffer }[];

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
	await makeDataDir(path.join(folder, 'data'));
	provider = await startProviderDouble({ latencyMs: 40 });
	parts = [
		{ filename: 'book.pdf', content: makeLongPdf(pages, 150) },
		{ filename: 'notes.md', content: '# Harbour\n\nThe uniquelantern hangs over the quay.\n' }
	];
});
afterAll(async () => {
	await server.kill();
	await provider.close();
	await rm(folder, { recursive: true, force: true });
});

const start = async () => {
	server = await startServer({
		DATA_DIR: path.join(folder, 'data'),
		OPENAI_BASE_URL: provider.url,
		LOG_LEVEL: 'warn'
	});
};

it('leaves nothing lost, doubled, stuck or as a ghost, whenever it comes', { timeout: 600_000 }, async () => {
	await start();
	const first = await enter(server, undisturbed);
	const { body } = await first.upload(...parts);
	await first.ended(idsOf(body.files), 60_000);
	const passages = paidTexts().size;

	const paidAgain: number[] = [];
	for (const ms of steps) {
		provider.paid.length = 0;
		const person = await enter(server, emailOf(ms));
		const accepted = (await person.upload(...parts)).body.files;
		await eventually(() => expect(paidTexts().size).toBe(passages), { timeoutMs: 60_000, everyMs: 2 });
		await delay(ms);
		await server.kill();
		await start();
		const back = await enter(server, emailOf(ms));
		const ended = await back.ended(idsOf(accepted), 60_000);
		expect(
			ended.map(({ status }) => status),
			`${ms} ms`
		).toEqual(['completed', 'completed']);
		for (const [word, filename] of [
			[`only${pages}`, 'book.pdf'],
			['uniquelantern', 'notes.md']
		]) {
			const { results } = await (await back.ask(`/api/search?q=%22${word}%22`)).json();
			expect(
				results.map(({ file }: { file: StoredFile }) => file.filename),
				`${ms} ms`
			).toEqual([filename]);
		}
		paidAgain.push(provider.paid.length - paidTexts().size);
	}
	// At most the batches that were under way: four of the book, one of the notes.
	expect(Math.max(...paidAgain)).toBeLessThanOrEqual(4 * 64 + 1);
	// A kill long after the end costs nothing but the word with which the model's size is learned.
	expect(paidAgain.at(-1)).toBeLessThanOrEqual(1);

	expect(await server.stop()).toBe(0);
	await expectAllAlike();
});

/** Rows and passages of everybody are those of the one who was not disturbed. */
async function expectAllAlike(): Promise<void> {
	const db = await openPgliteDb({ dataDir: path.join(folder, 'data', 'db') });
	try {
		const { rows } = await db.query<{ email: string; made: unknown }>(madeSql);
		const madeOf = new Map(rows.map(({ email, made }) => [email, made]));
		expect(madeOf.get(undisturbed)).toHaveLength(2);
		for (const ms of steps) expect(madeOf.get(emailOf(ms)), `${ms} ms`).toEqual(madeOf.get(undisturbed));
		const vectors = await db.query<{ count: number }>(
			'select count(*)::int as count from public.embeddings group by user_id'
		);
		expect(new Set(vectors.rows.map(({ count }) => count)).size).toBe(1);
		const jobs = await db.query(`select from pgboss.job where name like 'files%' and state <= 'active'`);
		expect(jobs.rowCount).toBe(0);
	} finally {
		await db.close();
	}
}

const madeSql = `
	select u.email, jsonb_agg(jsonb_build_array(f.filename, f.status, f.progress, f.page_count, f.chunk_count,
		f.compressed_bytes, f.variants, f.warnings, f.activity, f.processing_stage, f.error_code, c.chunks)
		order by f.filename) as made
	from public.files f join auth.users u on u.id = f.user_id
	left join lateral (
		select jsonb_agg(jsonb_build_array(c.ordinal, c.page, c.section, c.text, e.hash) order by c.ordinal) as chunks
		from public.chunks c left join public.embeddings e on e.user_id = c.user_id and e.hash = c.hash
		where c.file_id = f.id
	) c on true
	group by u.email`;

function paidTexts(): Set<string> {
	return new Set(provider.paid.filter((text) => text !== 'test'));
}

function emailOf(ms: number): string {
	return `killed-after-${ms}@localhost`;
}

function idsOf(files: readonly StoredFile[]): string[] {
	return files.map(({ id }) => id);
}
