import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startChild } from '../../../../../tests/support/child.ts';
import { makeDataDir } from '../../../../../tests/support/database.ts';
import { eventually } from '../../../../../tests/support/eventually.ts';
import { useTempFolder } from '../../../../../tests/support/temp-folder.ts';
import { silentLog } from '../../log.ts';
import type { Platform } from '../platform.ts';
import { requestCommand } from './control.ts';
import { openEmbedded } from './embedded.ts';

// Processes, databases, whole folders: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 });

const folder = useTempFolder();
const root = path.resolve(import.meta.dirname, '../../../../..');
const inFolder = (name: string) => path.join(folder(), name);
const open = (name: string) => openEmbedded({ dataDir: inFolder(name), log: silentLog });

beforeEach(() => makeDataDir(inFolder('data')));

/** As a person calls it; what it says on failure is the error's message. */
async function cli(command: 'backup' | 'restore', dataDir: string, ...args: string[]): Promise<string> {
	const env = { ...process.env, DATA_DIR: inFolder(dataDir), INIT_CWD: folder() };
	const { stdout } = await promisify(execFile)(
		process.execPath,
		[path.join(root, `src/cli/${command}.ts`), ...args],
		{ env }
	);
	return stdout;
}

describe('a backup of a running server', () => {
	let server: Platform;
	beforeEach(async () => {
		server = await open('data');
		await server.db.query('create table public.kept (key text primary key, hash text not null)');
	});
	afterEach(() => server.close());

	async function keep(key: string, bytes: Buffer): Promise<void> {
		await server.blobs.put(key, Readable.from([bytes]));
		const hash = createHash('sha256').update(bytes).digest('hex');
		await server.db.query('insert into public.kept values ($1, $2)', [key, hash]);
	}

	/** As a deleted file goes: the row first, then the bytes. */
	async function drop(key: string): Promise<void> {
		await server.db.query('delete from public.kept where key = $1', [key]);
		await server.blobs.remove([key]);
	}

	/** The keys of all rows, after every one of them was found to have its bytes. */
	async function checkAll(platform: Platform): Promise<string[]> {
		const { rows } = await platform.db.query<{ key: string; hash: string }>(
			'select key, hash from public.kept order by key'
		);
		for (const { key, hash } of rows) {
			const bytes = await buffer(await platform.blobs.get(key));
			expect(createHash('sha256').update(bytes).digest('hex'), key).toBe(hash);
		}
		return rows.map(({ key }) => key);
	}

	test('is one moment of it, with all its bytes, while files come and go', async () => {
		const name = 'copy.tar.gz';
		for (let i = 0; i < 20; i++) await keep(`before-${i}/original`, randomBytes(30_000));
		let isOver = false;
		let n = 0;
		const traffic = (async () => {
			for (; !isOver; n++) {
				await keep(`during-${n}/original`, randomBytes(5_000));
				if (n % 3 === 0) await drop(`during-${n}/original`);
				if (n < 10) await drop(`before-${n}/original`);
			}
		})();
		await eventually(() => expect(n).toBeGreaterThan(15));
		const said = await cli('backup', 'data', name);
		isOver = true;
		await traffic;
		expect(said).toContain(inFolder(name));
		const left = ['control.sock', 'db', 'files', 'last-backup.json', 'lock'];
		await eventually(async () => expect((await readdir(inFolder('data'))).sort()).toEqual(left));

		await cli('restore', 'other', name);
		const restored = await open('other');
		const found = await checkAll(restored);
		for (let i = 10; i < 20; i++) expect(found).toContain(`before-${i}/original`);
		for (let i = 1; i < 15; i++) if (i % 3) expect(found).toContain(`during-${i}/original`);
		expect(
			(await Array.fromAsync(restored.blobs.list(''), ({ key }) => key)).filter((key) => !found.includes(key))
				.length
		).toBeLessThan(3);
		await restored.db.query(`insert into public.kept values ('new', '')`);
		await restored.close();
	});

	test('goes on from its copy however slowly it is read, and nobody waits for that', async () => {
		await keep('a/original', randomBytes(3_000_000));
		const unread = new PassThrough({ highWaterMark: 1 });
		const backup = requestCommand(inFolder('data'), 'backup', unread);
		await eventually(() => expect(unread.readableLength).toBeGreaterThan(0));
		await drop('a/original');
		await keep('b/original', randomBytes(10));
		unread.resume();
		await backup;
	});

	test('fails, and leaves nothing, when the server stops in the middle', async () => {
		await keep('a/original', randomBytes(8_000_000));
		const unread = new PassThrough({ highWaterMark: 1 });
		const backup = expect(requestCommand(inFolder('data'), 'backup', unread)).rejects.toThrow();
		await eventually(() => expect(unread.readableLength).toBeGreaterThan(0));
		await server.close();
		unread.resume();
		await backup;
		expect((await readdir(inFolder('data'))).sort()).toEqual(['db', 'files']);
		server = await open('data');
	});

	test('is for the owner of the folder only, is not overwritten, and does not replace a running server’s data', async () => {
		expect((await stat(path.join(inFolder('data'), 'control.sock'))).mode & 0o777).toBe(0o600);
		await cli('backup', 'data', 'copy.tar');
		await expect(cli('backup', 'data', 'copy.tar')).rejects.toThrow(/already exists/);
		await expect(cli('restore', 'data', 'copy.tar', '--force')).rejects.toThrow(/is in use by another Asura/);
	});
});

describe('a backup of a server that does not run', () => {
	test('works the same, also after a kill -9, and can be put back over what is there', async () => {
		const server = startChild(path.join(root, 'tests/support/write-rows.ts'), [inFolder('data')]);
		for (let i = 0; i < 60; i++) await server.nextLine();
		await server.kill('SIGKILL');
		const acknowledged = server.lines.filter((line) => line.startsWith('row ')).length;
		await cli('backup', 'data', 'copy.tar');

		await expect(cli('restore', 'data', 'copy.tar')).rejects.toThrow(/already holds data/);
		const first = await open('data');
		await first.db.query('drop table public.written');
		await first.blobs.put('later/original', Readable.from(['x']));
		await first.close();
		await cli('restore', 'data', 'copy.tar', '--force');
		const second = await open('data');
		const { rows } = await second.db.query<{ n: number }>(
			'select count(*)::integer as n from public.written'
		);
		expect(rows[0]?.n).toBeGreaterThanOrEqual(acknowledged);
		expect(await second.blobs.stat('later/original')).toBeUndefined();
		expect(await second.blobs.stat('blob-0/original')).toBeDefined();
		await second.close();
		expect((await readdir(inFolder('data'))).sort()).toEqual(['db', 'files', 'last-backup.json']);
	});

	test('that is cut off, or is something else, is refused before anything is touched', async () => {
		await (await open('data')).close();
		await cli('backup', 'data', 'copy.tar');
		const { size } = await stat(inFolder('copy.tar'));
		for (const length of [1_000, Math.floor(size / 2 / 512) * 512, size - 3 * 1024]) {
			await writeFile(inFolder('cut.tar'), await readFile(inFolder('copy.tar')));
			await truncate(inFolder('cut.tar'), length);
			await expect(cli('restore', 'other', 'cut.tar')).rejects.toThrow(/cut\.tar/);
			expect(await readdir(inFolder('other'))).toEqual([]);
		}
		await writeFile(inFolder('notes.tar'), 'my notes');
		await expect(cli('restore', 'other', 'notes.tar')).rejects.toThrow(/notes\.tar/);
	});

	test('nothing else touches a folder in which a restore was interrupted, until it is done again', async () => {
		await (await open('data')).close();
		await cli('backup', 'data', 'copy.tar');
		await mkdir(inFolder('other'));
		await writeFile(path.join(inFolder('other'), 'half-restored'), '');
		await expect(open('other')).rejects.toThrow(/was interrupted/);
		await expect(cli('backup', 'other', 'b.tar')).rejects.toThrow(/was interrupted/);
		await cli('restore', 'other', 'copy.tar');
		await (await open('other')).close();
	});

	test('there is none of a folder that is not there', async () => {
		await expect(cli('backup', 'nothing', 'copy.tar')).rejects.toThrow(/There is no data/);
		await expect(cli('backup', 'nothing')).rejects.toThrow(/Usage: npm run backup/);
	});
});
