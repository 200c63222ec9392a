// The server on a Supabase project, from sign-in to delete: a real Postgres with what Supabase brings, and doubles of the
// project's Auth and Storage over HTTP. What the doubles cannot show is in the suite against a real project.
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredFile } from '#lib/shared/files.ts';
import { type Browser, openBrowser } from '../support/browser.ts';
import { runCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startSupabaseFront, type SupabaseFront } from '../support/supabase-front.ts';
import { type Person, withCookie } from './person.ts';

const found = await findPostgres();
const why = 'reason' in found ? ` (skipped: ${found.reason})` : '';
const words = 'The uniquelantern hangs over the quay.\n'.repeat(2000);

describe.skipIf('reason' in found)(`on a Supabase project${why}`, { timeout: 60_000 }, () => {
	let postgres: PostgresServer;
	let supabase: SupabaseFront;
	let env: Record<string, string>;
	let server: TestServer;
	let browser: Browser;
	let ada: Person;
	let file: StoredFile;

	beforeAll(async () => {
		[postgres, supabase] = await Promise.all([
			startPostgres('bin' in found ? found.bin : ''),
			startSupabaseFront()
		]);
		await beSupabase(postgres.url);
		const DATA_DIR = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
		env = { DATABASE_URL: postgres.url, DATA_DIR, ...supabase.env };
		server = await startServer(env);
		browser = openBrowser(server.url);
	}, 60_000);
	afterAll(async () => {
		await server?.dispose();
		await supabase?.stop();
		await postgres?.close();
		await removeFolder(env.DATA_DIR ?? '');
	});

	/** Auth makes the row of whoever signs in for the first time. */
	async function beSupabase(url: string): Promise<void> {
		const client = new Client({ connectionString: url });
		await client.connect();
		await client.query(await readFile('supabase/shim.sql', 'utf8'));
		await client.query('create role supabase_auth_admin');
		const { id, email } = supabase.auth.user;
		await client.query('insert into auth.users (id, email) values ($1, $2)', [id, email.toLowerCase()]);
		await client.end();
	}

	it('signs a person in through the project, and in no other way', async () => {
		const begun = await browser.ask('/auth/google?next=%2F');
		const at = new URL(begun.location);
		expect([begun.status, at.origin, at.pathname]).toEqual([302, env.SUPABASE_URL, '/auth/v1/authorize']);
		expect(at.searchParams.get('redirect_to')).toBe(`${server.url}/auth/callback`);
		const arrived = await browser.ask('/auth/callback?code=of-the-double');
		expect([arrived.status, arrived.location]).toEqual([303, '/']);
		ada = withCookie(server, `asura_session=${browser.cookies.get('asura_session')?.value}`);
		expect((await ada.ask('/api/files')).status).toBe(200);
		const local = { method: 'POST', body: JSON.stringify({ email: 'ada@example.org' }) };
		expect(await ada.refusal('/auth/local', local)).toBe('404 auth.not_configured');
	});

	it('keeps the bytes in Storage, processes them and finds what is in them', async () => {
		const { id } = await ada.add('notes.md', words);
		const [ended] = await ada.ended([id]);
		expect(ended).toMatchObject({ status: 'completed', filename: 'notes.md' });
		if (!ended) return;
		file = ended;
		const stored = [...supabase.storage.objects].filter(([key]) => key.endsWith('/original'));
		expect(stored.map(([, { bytes }]) => bytes.toString())).toEqual([words]);
		const { results, mode } = await (await ada.ask('/api/search?q=uniquelantern&type=text')).json();
		expect(results[0]).toMatchObject({ file: { id } });
		expect(mode).toMatch(/^(keyword|hybrid)$/);
		const none = await (await ada.ask('/api/search?q=uniquelantern&type=picture')).json();
		expect(none.results).toEqual([]);
	});

	it('keeps what is sent in pieces there as well', async () => {
		const tus = { 'tus-resumable': '1.0.0' };
		const text = 'A buoy in the bay. '.repeat(500);
		const begun = await ada.ask('/api/uploads', {
			method: 'POST',
			headers: {
				...tus,
				'upload-length': String(text.length),
				'upload-metadata': `filename ${btoa('buoy.txt')}`
			}
		});
		const sent = await ada.ask(begun.headers.get('location') ?? '', {
			method: 'PATCH',
			headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
			body: text
		});
		const id = sent.headers.get('asura-file-id') ?? '';
		await ada.ended([id]);
		expect([...supabase.storage.objects.values()].map(({ bytes }) => bytes.toString())).toContain(text);
		expect((await ada.ask(`/api/files/${id}`, { method: 'DELETE' })).status).toBe(204);
	});

	it('gives back the whole and any part, and the bytes go with the file', async () => {
		const address = `/api/files/${file.id}/content`;
		expect(await (await ada.ask(address)).text()).toBe(words);
		const part = await ada.ask(address, { headers: { range: 'bytes=4-16' } });
		expect([part.status, await part.text()]).toEqual([206, words.slice(4, 17)]);
		expect((await ada.ask(`/api/files/${file.id}`, { method: 'DELETE' })).status).toBe(204);
		await eventually(() => expect([...supabase.storage.objects.keys()]).toEqual([]), { timeoutMs: 20_000 });
		expect((await ada.ask(address)).status).toBe(404);
	});

	it('says once that Realtime is away, and no secret', () => {
		expect(server.output().match(/Realtime is away/g)).toHaveLength(1);
		expect(server.output()).not.toContain(env.SUPABASE_SECRET_KEY);
	});

	it('has its doctor name each point, and what is wrong with one', async () => {
		const well = await runCli('doctor', env);
		for (const point of [
			'Database: reachable',
			'Schema: up to date',
			'LISTEN: notifications arrive',
			'Supabase: project',
			'Supabase: publishable key',
			'Supabase: secret key',
			'Supabase: Google',
			'Supabase: addresses',
			'Supabase: bucket',
			'Supabase: clock',
			'Supabase: pooler mode',
			'Supabase: same project',
			'Supabase: database: it is a Supabase one',
			'Supabase: policies',
			'Supabase: publication'
		])
			expect(well.output).toContain(point);
		expect(well.output).not.toContain('WRONG');
		expect(well.output).toContain('Nothing needs mending.');
		expect(well.code).toBe(0);

		supabase.project.hasGoogle = false;
		const ill = await runCli('doctor', env);
		expect(ill.code).toBe(1);
		expect(ill.output).toMatch(/WRONG {2}Supabase: Google: it is off\. Switch Google on/);
		expect(ill.output).not.toContain(env.SUPABASE_SECRET_KEY);
	});
});
