// What a person sees of the account, and that nothing remains when it is deleted.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPgliteDb } from '#lib/server/platform/embedded/pglite-db.ts';
import { makeImage, makePdf, pageText } from '../support/make-files.ts';
import { eventually } from '../support/eventually.ts';
import { multipartBody, multipartType } from '../support/multipart.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSse } from '../support/sse.ts';
import { enter, type Person } from './person.ts';
import { aTusPerson, said, tusHeaders } from './tus-person.ts';

let server: TestServer;
beforeAll(async () => void (server = await startServer({ LOG_LEVEL: 'warn' })));
afterAll(() => server.dispose());

/** As a browser without scripts sends it. */
const formOf = (fields: Record<string, string>) => ({
	method: 'POST',
	headers: { accept: 'text/html' },
	body: new URLSearchParams(fields)
});

describe('the settings', () => {
	it('list the sessions of one person, end one of them, and all', async () => {
		const here = await enter(server, 'ada@localhost');
		const there = await enter(server, 'ada@localhost');
		const stranger = await enter(server, 'bob@localhost');
		const ids = await sessionIds(here.ask);
		expect(ids).toHaveLength(2);
		const [foreign = ''] = await sessionIds(stranger.ask);
		await here.ask('/settings?/end', formOf({ id: foreign }));
		expect((await stranger.ask('/api/files')).status).toBe(200);

		await here.ask('/settings?/endAll', formOf({}));
		expect((await here.ask('/api/files')).status).toBe(401);
		expect((await there.ask('/api/files')).status).toBe(401);
		expect((await stranger.ask('/api/files')).status).toBe(200);
	});

	it('end a single session by its id, and its streams say goodbye', async () => {
		const here = await enter(server, 'dora@localhost');
		const [first = ''] = await sessionIds(here.ask);
		const there = await enter(server, 'dora@localhost');
		const stream = await openSse(`${server.url}/api/files/events`, { cookie: here.cookie });
		await there.ask('/settings?/end', formOf({ id: first }));
		expect((await stream.next('bye')).data.reason).toBe('signed_out');
		expect((await there.ask('/api/files')).status).toBe(200);
		stream.close();
	});
});

describe('deleting everything', () => {
	it('refuses what is still arriving, in one request or in pieces', async () => {
		const fay = await enter(server, 'fay@localhost');
		const bytes = Buffer.from('The buoy was taken in.\n'.repeat(400));
		const url = await aTusPerson(fay).begin({ size: bytes.length });
		const form = sendSlowly(
			fay,
			'/api/files/upload',
			multipartBody([{ filename: 'a.txt', content: bytes }]),
			{
				method: 'POST',
				headers: { 'content-type': multipartType }
			}
		);
		const piece = sendSlowly(fay, url, bytes, {
			method: 'PATCH',
			headers: { ...tusHeaders, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }
		});
		await eventually(async () => {
			expect(await readdir(path.join(server.dataDir, 'files/.incoming'))).toHaveLength(1);
			expect(
				(await stat(path.join(server.dataDir, 'uploads', url.split('/').at(-1) ?? ''))).size
			).toBeGreaterThan(0);
		});
		await fay.ask('/settings?/forget', formOf({ email: 'fay@localhost' }));
		form.end();
		piece.end();
		expect(await said(await form.answer)).toBe('401 auth.required');
		expect(await said(await piece.answer)).toBe('404 upload.not_found');
	});

	it('needs the address typed, and leaves no row and no blob', { timeout: 60_000 }, async () => {
		const carol = await enter(server, 'carol@localhost');
		const other = await enter(server, 'eve@localhost');
		const kept = await other.add('kept.txt', 'this one stays');
		const files = [
			await carol.add('a.txt', 'some words of carol'),
			await carol.add('copy.txt', 'some words of carol'),
			await carol.add('b.pdf', makePdf([pageText(1)])),
			await carol.add('c.png', await makeImage())
		];
		await carol.ended(files.map(({ id }) => id));
		await other.ended([kept.id]);
		// Work that is under way is stopped, too.
		await carol.add('long.pdf', makePdf(Array.from({ length: 200 }, (_, i) => pageText(i + 1))));
		const stream = await openSse(`${server.url}/api/files/events`, { cookie: carol.cookie });

		const refused = await carol.ask('/settings?/forget', formOf({ email: 'eve@localhost' }));
		expect(refused.status).toBe(400);
		expect((await carol.list()).length).toBe(5);

		const done = await carol.ask('/settings?/forget', formOf({ email: 'Carol@localhost ' }));
		expect([done.status, done.headers.get('location')]).toEqual([303, '/sign-in']);
		expect((await stream.next('bye')).data.reason).toBe('signed_out');
		stream.close();
		expect((await carol.ask('/api/files')).status).toBe(401);
		expect((await other.get(kept.id)).status).toBe('completed');
		const again = await enter(server, 'carol@localhost');
		expect(await again.list()).toEqual([]);
		await again.ask('/settings?/forget', formOf({ email: 'carol@localhost' }));

		await server.stop();
		await expectOnlyOf(
			server.dataDir,
			['ada@localhost', 'bob@localhost', 'dora@localhost', 'eve@localhost'],
			1
		);
	});
});

/** The first half has left when the request is made; the second leaves at the end. */
function sendSlowly({ ask }: Person, path: string, bytes: Buffer, init: RequestInit) {
	const half = Math.floor(bytes.length / 2);
	const { readable, writable } = new TransformStream<Uint8Array>();
	const writer = writable.getWriter();
	const first = writer.write(new Uint8Array(bytes.subarray(0, half)));
	const options = { ...init, body: readable, duplex: 'half' };
	return {
		answer: ask(path, options),
		end: () =>
			void first.then(() => writer.write(new Uint8Array(bytes.subarray(half)))).then(() => writer.close())
	};
}

async function sessionIds(ask: (path: string) => Promise<Response>): Promise<string[]> {
	const html = await (await ask('/settings')).text();
	return [...html.matchAll(/name="id" value="([0-9a-f-]{36})"/g)].map(([, id]) => id ?? '');
}

/** Every table that says whose a row is knows these people only, and there are the blobs of so many files. */
async function expectOnlyOf(dataDir: string, emails: string[], files: number): Promise<void> {
	const db = await openPgliteDb({ dataDir: path.join(dataDir, 'db') });
	try {
		const { rows: people } = await db.query<{ email: string }>('select email from auth.users order by email');
		expect(people.map(({ email }) => email)).toEqual(emails);
		const { rows: tables } = await db.query<{ name: string }>(
			`select format('%I.%I', table_schema, table_name) as name from information_schema.columns
			 where column_name = 'user_id' and table_schema in ('public', 'asura', 'auth')`
		);
		expect(tables.length).toBeGreaterThanOrEqual(7);
		for (const { name } of tables) {
			const { rows } = await db.query(
				`select user_id from ${name} where user_id not in (select id from auth.users)`
			);
			expect(rows, name).toEqual([]);
		}
		const { rows } = await db.query('select filename from public.files');
		expect(rows).toEqual([{ filename: 'kept.txt' }]);
	} finally {
		await db.close();
	}
	const blobs = (await readdir(path.join(dataDir, 'files'))).filter((name) => !name.startsWith('.'));
	expect(blobs).toHaveLength(files);
}
