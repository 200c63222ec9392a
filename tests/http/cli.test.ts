// The command line as its own process against a real server: piped, as JSON, in a pseudo-terminal, and interrupted.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeKey } from '../support/keys.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter, type Person } from './person.ts';
import { begin } from './project-people.ts';

const script = path.resolve('src/cli/asura.ts');
const nobody = '00000000-0000-4000-8000-000000000000';

let server: TestServer;
let ada: Person;
let folder: string;
let account: Record<string, string>;

beforeAll(async () => {
	server = await startServer({ MAX_FILE_BYTES: '20000000' });
	ada = await enter(server);
	folder = await mkdtemp(path.join(tmpdir(), 'asura-cli-'));
	account = { ASURA_URL: server.url, ASURA_KEY: (await makeKey(ada)).token };
	await mkdir(path.join(folder, 'papers/deep'), { recursive: true });
	await writeFile(path.join(folder, 'papers/lantern.txt'), 'A lantern hung in the harbour.');
	await writeFile(path.join(folder, 'papers/deep/"quoted" ü.txt'), 'Deep words.');
	await writeFile(path.join(folder, 'papers/.hidden'), 'not for others');
	await writeFile(path.join(folder, 'empty.txt'), '');
});
afterAll(async () => {
	await server.dispose();
	await removeFolder(folder);
});

type Ran = { code: number | null; out: string; err: string };

function start(
	args: readonly string[],
	env: Record<string, string> = account
): ChildProcess & { ran: Promise<Ran> } {
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
		cwd: folder,
		env: { PATH: process.env.PATH, HOME: folder, ...env }
	});
	const ran: Ran = { code: null, out: '', err: '' };
	child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.out += text));
	child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.err += text));
	return Object.assign(child, { ran: once(child, 'close').then(([code]) => ({ ...ran, code })) });
}

async function asura(args: readonly string[], env?: Record<string, string>, input = ''): Promise<Ran> {
	const child = start(args, env);
	child.stdin?.on('error', () => undefined);
	child.stdin?.end(input);
	return child.ran;
}

const linesOf = ({ out }: Ran) => out.trim().split('\n').filter(Boolean);
const objectsOf = (ran: Ran) => linesOf(ran).map((line) => JSON.parse(line));

describe('asura', () => {
	it('keeps address and key for its person alone, and forgets them', async () => {
		const home = { HOME: await mkdtemp(path.join(folder, 'home-')) };
		expect(await asura(['list'], home)).toMatchObject({
			code: 2,
			err: expect.stringContaining('asura login')
		});
		expect(await asura(['login', server.url], home, 'asura_wrong\n')).toMatchObject({ code: 3 });
		const file = path.join(home.HOME, '.config/asura/account.json');
		expect(existsSync(file)).toBe(false);
		const signedIn = await asura(['login', server.url], home, `${account.ASURA_KEY}\n`);
		expect(signedIn).toMatchObject({ code: 0, out: expect.stringContaining(file) });
		expect(signedIn.out + signedIn.err).not.toContain(account.ASURA_KEY);
		expect((await stat(file)).mode & 0o777).toBe(0o600);
		expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
		expect(await asura(['list'], home)).toMatchObject({ code: 0 });
		// The kept key is for its own server only.
		expect(await asura(['list'], { ...home, ASURA_URL: 'http://127.0.0.1:9' })).toMatchObject({ code: 2 });
		expect(await asura(['logout'], home)).toMatchObject({ code: 0 });
		expect(existsSync(file)).toBe(false);
	});

	it('says of a key that is refused that it is, however much was being sent', async () => {
		for (const name of ['x', 'y', 'z'])
			await writeFile(path.join(folder, `${name}-large.txt`), 'A large word. '.repeat(70_000));
		const wrong = { ...account, ASURA_KEY: 'asura_wrong' };
		const ran = await asura(['upload', 'x-large.txt', 'y-large.txt', 'z-large.txt', '--json'], wrong);
		expect(objectsOf(ran).map(({ code }) => code)).toEqual(Array(3).fill('auth.key_invalid'));
		expect(ran.code).toBe(3);
	});

	it(
		'sends folders and standard input, watches them, finds, fetches and deletes them',
		{ timeout: 60_000 },
		async () => {
			const sent = await asura(['upload', 'papers', '--watch', '--json']);
			expect(sent).toMatchObject({ code: 0, err: '' });
			const told = objectsOf(sent);
			const ended = told.filter(({ event }) => event === 'ended').map(({ file }) => file);
			expect(ended.map(({ filename, status }) => `${filename} ${status}`).toSorted()).toEqual([
				'"quoted" ü.txt completed',
				'lantern.txt completed'
			]);
			expect(told.filter(({ event }) => event === 'kept')).toHaveLength(2);
			const id: string = ended.find(({ filename }) => filename === 'lantern.txt').id;

			const piped = await asura(
				['upload', '-', '--name', 'piped.md', '--watch'],
				account,
				'# Piped\n\nFrom a pipe.'
			);
			expect(piped.code).toBe(0);
			expect(piped.out).toMatch(/^kept +\S+ +piped\.md$/m);
			expect(piped.out).toMatch(/^searchable +\S+ +piped\.md: Searchable$/m);
			expect(piped.out).not.toContain('\x1b');

			const found = await asura(['search', 'lantern', 'harbour']);
			expect(found).toMatchObject({
				code: 0,
				out: expect.stringMatching(/lantern\.txt[^]*hung in the harbour/)
			});
			expect(await asura(['status', id])).toMatchObject({
				code: 0,
				out: expect.stringContaining('Searchable')
			});
			expect(
				objectsOf(await asura(['list', '--json', '--status', 'completed'])).map(({ id }) => id)
			).toContain(id);
			expect(linesOf(await asura(['list', '--limit', '1']))).toHaveLength(1);

			expect(await asura(['download', id, '-o', 'copy.txt'])).toMatchObject({ code: 0 });
			expect(await readFile(path.join(folder, 'copy.txt'), 'utf8')).toBe('A lantern hung in the harbour.');
			expect(await asura(['download', id, '-o', 'copy.txt'])).toMatchObject({ code: 2 });
			expect(await asura(['download', id, '-o', 'copy.txt', '--force'])).toMatchObject({ code: 0 });
			expect(await asura(['download', id, '-o', '-'])).toMatchObject({
				out: 'A lantern hung in the harbour.'
			});
			expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);

			expect(await asura(['delete', id, nobody])).toMatchObject({
				code: 5,
				out: expect.stringContaining(id)
			});
			expect(await asura(['status', id])).toMatchObject({
				code: 5,
				err: expect.stringContaining('no such file')
			});
		}
	);

	it('uploads into a project, and watches, lists, finds and hears there', { timeout: 60_000 }, async () => {
		const { id } = await begin(ada);
		const listening = start(['events', '--json', '--project', id]);
		let heard = '';
		listening.stdout?.on('data', (text: string) => (heard += text));
		await eventually(() => expect(heard).toContain('"snapshot"'), { timeoutMs: 10_000 });
		const sent = await asura(['upload', 'papers/lantern.txt', '--project', id, '--watch', '--json']);
		expect(sent).toMatchObject({ code: 0, err: '' });
		const { file } = objectsOf(sent).find(({ event }) => event === 'ended');
		const { files } = await (await ada.ask(`/api/projects/${id}/files`)).json();
		expect(files).toMatchObject([{ id: file.id, status: 'completed' }]);

		const own = await ada.add('own.txt', 'This lantern is not of the project.');
		await ada.ended([own.id]);
		await eventually(() => expect(heard).toContain(file.id), { timeoutMs: 10_000 });
		listening.kill('SIGINT');
		expect((await listening.ran).out).not.toContain(own.id);
		const listed = objectsOf(await asura(['list', '--project', id, '--json']));
		expect(listed.map(({ id }) => id)).toEqual([file.id]);
		const found = objectsOf(await asura(['search', 'lantern', '--project', id, '--json']));
		expect(found.map(({ file }) => file.id)).toEqual([file.id]);

		for (const args of [['upload', 'papers'], ['list'], ['search', 'lantern'], ['events']])
			expect(await asura([...args, '--project', nobody]), args.join(' ')).toMatchObject({ code: 5 });
		for (const wrong of ['mine', ''])
			expect(await asura(['upload', 'papers', '--project', wrong]), wrong).toMatchObject({
				code: 2,
				err: expect.stringContaining("its page's address")
			});
	});

	it('ends in a way that scripts can tell apart', async () => {
		for (const args of [
			['fly'],
			['list', '--watch'],
			['upload'],
			['upload', 'nowhere.txt'],
			['status', '../x'],
			['list', '--limit', '0']
		])
			expect(await asura(args), args.join(' ')).toMatchObject({ code: 2, out: '' });
		expect(await asura(['list'], { ...account, ASURA_KEY: 'asura_wrong' })).toMatchObject({ code: 3 });
		const reading = { ...account, ASURA_KEY: (await makeKey(ada, ['read'])).token };
		expect(await asura(['delete', nobody], reading)).toMatchObject({ code: 3 });
		expect(await asura(['events'], { ...account, ASURA_KEY: 'asura_wrong' })).toMatchObject({ code: 3 });
		expect(
			await asura(['list'], { ...account, ASURA_URL: `http://127.0.0.1:${await freePort()}` })
		).toMatchObject({
			code: 4,
			err: expect.stringContaining('cannot be reached')
		});
		expect(await asura(['search', 'zzyzzx'])).toMatchObject({ code: 1, out: '' });
		const refused = await asura(['upload', 'empty.txt', 'papers/lantern.txt', '--json']);
		expect(refused.code).toBe(1);
		expect(
			objectsOf(refused)
				.map(({ event, code }) => code ?? event)
				.toSorted()
		).toEqual(['kept', 'upload.empty']);
		expect(await asura(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('asura upload') });
	});

	it('tells what happens as it happens, until it is interrupted', { timeout: 20_000 }, async () => {
		const listening = start(['events', '--json']);
		let seen = '';
		listening.stdout?.on('data', (text: string) => (seen += text));
		await eventually(() => expect(seen).toContain('"snapshot"'), { timeoutMs: 10_000 });
		const { id } = await ada.add('heard.txt', 'heard');
		await eventually(() => expect(seen).toContain(id), { timeoutMs: 10_000 });
		listening.kill('SIGINT');
		const ran = await listening.ran;
		expect(ran.code).toBe(130);
		for (const line of linesOf(ran)) expect(JSON.parse(line)).toHaveProperty('eventType');
	});

	it(
		'leaves nothing half sent when it is interrupted, and says what is kept',
		{ timeout: 20_000 },
		async () => {
			const before = (await ada.list()).length;
			const sending = start(['upload', '-', '--name', 'endless.txt']);
			sending.stdin?.on('error', () => undefined);
			sending.stdin?.write('the beginning of something '.repeat(100_000));
			// Far more than a pipe holds: what does not wait here any more is on its way to the server.
			await eventually(() => expect(sending.stdin?.writableLength).toBe(0), { timeoutMs: 10_000 });
			sending.kill('SIGINT');
			expect(await sending.ran).toMatchObject({ code: 130, err: 'Interrupted; 0 files are kept.\n' });
			expect(await ada.list()).toHaveLength(before);
		}
	);

	it.skipIf(!existsSync('/usr/bin/script'))(
		'draws one line for each file in a terminal, and leaves the terminal as it was',
		{ timeout: 30_000 },
		async () => {
			const command = `${process.execPath} --disable-warning=ExperimentalWarning ${script} upload papers --watch`;
			const child = spawn('script', ['-qec', command, '/dev/null'], {
				cwd: folder,
				env: { PATH: process.env.PATH, HOME: folder, TERM: 'xterm', COLUMNS: '100', LINES: '30', ...account }
			});
			let screen = '';
			child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
			const [code] = await once(child, 'close');
			expect(code).toBe(0);
			expect(stripVTControlCharacters(screen)).toMatch(/lantern\.txt +(━━━━ ){5} Searchable/);
			expect(screen.lastIndexOf('\x1b[?25h')).toBeGreaterThan(screen.lastIndexOf('\x1b[?25l'));
		}
	);
});

async function freePort(): Promise<number> {
	const probe = createServer().listen(0, '127.0.0.1');
	await once(probe, 'listening');
	const address = probe.address();
	probe.close();
	return typeof address === 'object' && address ? address.port : 0;
}
