// The server on a Postgres of one's own, as its operator starts it.
import { createServer } from 'node:net';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { runCli as command } from '../support/cli.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { failToStart, startServer } from '../support/server.ts';
import { enter } from './person.ts';

const found = await findPostgres();
const why = 'reason' in found ? ` (skipped: ${found.reason})` : '';

describe('a database that cannot be reached', () => {
	it('is waited for as long as configured, and then it is one line without the password', async () => {
		const DATABASE_URL = `postgres://ada:very-secret@127.0.0.1:${await freePort()}/asura`;
		const { code, output } = await failToStart({ DATABASE_URL, DATABASE_WAIT_SECONDS: '1' });
		expect(code).toBe(1);
		expect(output).toContain('waiting for a database that cannot be reached');
		expect(output.trim().split('\n').at(-1)).toMatch(
			/^The database at 127\.0\.0\.1:\d+\/asura cannot be reached \(.*ECONNREFUSED.*\)\. Start it, or correct DATABASE_URL\.$/
		);
		expect(output).not.toContain('very-secret');
	});
});

describe.skipIf('reason' in found)(`a Postgres of one's own${why}`, () => {
	let postgres: PostgresServer;
	let folder: string;

	beforeAll(async () => {
		postgres = await startPostgres('bin' in found ? found.bin : '');
		folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
	});
	afterAll(async () => {
		await postgres?.close();
		await removeFolder(folder);
	});

	const env = (name = 'data') => ({ DATABASE_URL: postgres.url, DATA_DIR: path.join(folder, name) });

	it('takes the place of the built-in database: sign-in on the machine, files, search', async () => {
		const server = await startServer(env());
		const ada = await enter(server);
		const { id } = await ada.add('notes.md', '# Harbour\n\nThe uniquelantern hangs over the quay.\n');
		expect(await ada.ended([id])).toMatchObject([{ status: 'completed' }]);
		const { results } = await (await ada.ask('/api/search?q=uniquelantern')).json();
		expect(results).toHaveLength(1);
		expect(await (await fetch(`${server.url}/readyz`)).json()).toMatchObject({ status: 'ok' });
		expect(await server.stop()).toBe(0);
	});

	it('refuses a process that looks for the files in another folder, before it takes them for lost', async () => {
		const id = (await readFile(path.join(folder, 'data/files/.folder'), 'utf8')).trim();
		const { code, output } = await failToStart(env('elsewhere'));
		expect(code).toBe(1);
		expect(output).toContain(path.join(folder, 'elsewhere/files'));
		expect(output).toContain(`write ${id} into`);
	});

	it('is examined by the doctor from outside, then from inside', async () => {
		const well = await command('doctor', env());
		expect(well.output).toMatch(
			/^well {3}Database: reachable at \S+, \d+ ms\.\nwell {3}Postgres version: \d+/
		);
		expect(well.output).toMatch(
			/well {3}Schema: up to date, \d+ migrations\.\nwell {3}LISTEN: notifications arrive/
		);
		expect(well.output).toMatch(/pgvector: .*\nwell {3}Clock: 0\.\d s apart/);
		expect(well.output).toContain('Nothing needs mending.');
		expect(well.code).toBe(0);
		const url = new URL(postgres.url);
		url.pathname = '/template1';
		const empty = await command('doctor', { ...env(), DATABASE_URL: url.href });
		expect(empty.output).toContain('WRONG  Schema: nothing of Asura is in it. Start Asura once');
		expect(empty.code).toBe(1);
	});

	it('is not copied by the backup of the built-in database, which says so', async () => {
		const { code, output } = await command('backup', env(), path.join(folder, 'copy.tar'));
		expect(code).toBe(1);
		expect(output).toContain('pg_dump');
	});

	it('says at once that there is no such database', async () => {
		const url = new URL(postgres.url);
		url.pathname = '/nothing-here';
		const { code, output } = await failToStart({ ...env(), DATABASE_URL: url.href });
		expect(code).toBe(1);
		expect(output).toContain('refuses: database "nothing-here" does not exist');
	});
});

/** Nobody listens there. */
async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	if (typeof address !== 'object' || !address) throw new Error('no address');
	return address.port;
}
