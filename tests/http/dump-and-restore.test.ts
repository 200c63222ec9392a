// Backup and restore of a Postgres of one's own, with the commands that README.md names: pg_dump while the server runs,
// pg_restore into a fresh database of another server, and the folder of files beside it.
import { execFile } from 'node:child_process';
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '#lib/server/log.ts';
import { PgDb } from '#lib/server/platform/supabase/pg-db.ts';
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSse } from '../support/sse.ts';
import { enter } from './person.ts';

const run = promisify(execFile);
const found = await findPostgres();
const why = 'reason' in found ? ` (skipped: ${found.reason})` : '';

describe.skipIf('reason' in found)(`a dump in another database${why}`, () => {
	const bin = 'bin' in found ? found.bin : '';
	const servers: TestServer[] = [];
	let folder: string;
	let before: PostgresServer;
	let after: PostgresServer;

	beforeAll(async () => {
		folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
		[before, after] = await Promise.all([startPostgres(bin), startPostgres(bin)]);
	});
	afterAll(async () => {
		await Promise.all(servers.map((server) => server.kill()));
		await Promise.all([before?.close(), after?.close()]);
		await removeFolder(folder);
	});

	const start = async (postgres: PostgresServer, name: string) => {
		const server = await startServer({ DATABASE_URL: postgres.url, DATA_DIR: path.join(folder, name) });
		servers.push(server);
		return server;
	};

	it(
		'is all that there was: people, sessions, files, what is found; streams begin anew',
		{ timeout: 60_000 },
		async () => {
			const old = await start(before, 'old');
			await query(before, countUpSql);
			const ada = await enter(old);
			const { id } = await ada.add('notes.md', '# Harbour\n\nThe uniquelantern hangs over the quay.\n');
			await ada.ended([id]);
			const stream = await openSse(`${old.url}/api/files/events`, { cookie: ada.cookie });
			await stream.next('snapshot');
			const cursor = stream.lastEventId ?? '';

			const dump = path.join(folder, 'asura.dump');
			await run(path.join(bin, 'pg_dump'), ['--format=custom', `--file=${dump}`, before.url]);
			await cp(path.join(folder, 'old/files'), path.join(folder, 'new/files'), { recursive: true });
			await query(
				after,
				`create role anon nologin; create role authenticated nologin; create role service_role nologin;
			 grant anon, authenticated, service_role to current_user`
			);
			await run(path.join(bin, 'pg_restore'), [
				'--exit-on-error',
				'--no-owner',
				`--dbname=${after.url}`,
				dump
			]);

			const fresh = await start(after, 'new');
			expect(fresh.output()).toContain('stamped anew');
			const ask = (where: string) => fetch(fresh.url + where, { headers: { cookie: ada.cookie } });
			expect((await (await ask(`/api/files/${id}`)).json()).status).toBe('completed');
			expect(await (await ask(`/api/files/${id}/content`)).text()).toContain('uniquelantern');
			expect((await (await ask('/api/search?q=uniquelantern')).json()).results).toHaveLength(1);

			const headers = { 'last-event-id': cursor };
			const again = await openSse(`${fresh.url}/api/files/events`, { cookie: ada.cookie, headers });
			expect((await again.next('reset')).data).toMatchObject({ reason: 'other_epoch' });
			await again.next('snapshot');
			const added = await (await enter(fresh)).add('more.txt', 'written after the restore');
			expect(added.status).toBe('pending');
			await expect
				.poll(() => again.frames.some(({ data }) => JSON.stringify(data).includes(added.id)), {
					timeout: 5000
				})
				.toBe(true);
			expect((await query(after, aheadSql)).rowCount).toBe(0);
			for (const one of [stream, again]) one.close();
		}
	);
});

async function query({ url }: PostgresServer, sql: string) {
	const db = new PgDb({ url, log: silentLog, connections: 1 });
	try {
		return await db.query(sql);
	} finally {
		await db.close();
	}
}

/** Thousands of transactions, so that the stamps of this server lie ahead of what a fresh one has counted to. */
const countUpSql = `do $$ begin
	for i in 1..5000 loop
		begin
			update asura.files_folder set id = id;
		exception when others then raise;
		end;
	end loop;
end $$`;

const aheadSql = `
	select from public.files where changed_xid >= pg_snapshot_xmax(pg_current_snapshot())`;
