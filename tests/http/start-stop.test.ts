// How the server begins and ends, as its own process: refused starts, crashes, signals.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readConfig, settings } from '#lib/server/config.ts';
import { makeDataDir } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { makeLongPdf } from '../support/make-files.ts';
import { multipartType, partHead } from '../support/multipart.ts';
import { startProviderDouble } from '../support/provider.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { failToStart, startServer, type TestServer } from '../support/server.ts';
import { openSse } from '../support/sse.ts';
import { enter } from './person.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A machine with other things to do starts a process in seconds, not in tenths. */
const slow = { timeout: 60_000 };

let dataDir: string;
/** A fresh one for each test of the surrounding describe. */
function useDataDir(): void {
	beforeEach(async () => {
		dataDir = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
		await makeDataDir(dataDir);
	});
	afterEach(() => removeFolder(dataDir));
}

async function start(env: Record<string, string> = {}): Promise<TestServer> {
	const server = await startServer({ DATA_DIR: dataDir, ...env });
	onTestFinished(async () => void (await server.kill()));
	return server;
}

/** What a refused start says: one line for a person and nothing else. */
async function refusedStart(env: Record<string, string>): Promise<string> {
	const { code, output } = await failToStart({ DATA_DIR: dataDir, LOG_LEVEL: 'silent', ...env });
	expect(output.trimEnd().split('\n'), output).toHaveLength(1);
	expect(output).not.toMatch(/^\s+at |node:internal|Error:/m);
	expect(code).toBe(1);
	return output;
}

describe('a setting', () => {
	it.each([
		['PORT', '70000'],
		['WORKER_CONCURRENCY', '2.5'],
		['MAX_FILE_BYTES', '2GB'],
		['USER_QUOTA_BYTES', '-1'],
		['HEARTBEAT_SECONDS', '0'],
		['LOG_LEVEL', 'loud'],
		['ORIGIN', 'files.example.org'],
		['ORIGIN', 'https://files.example.org/asura'],
		['OPENAI_BASE_URL', 'localhost:11434'],
		['OIDC_ISSUER', 'accounts'],
		['EMBEDDING_DIMENSIONS', '9999'],
		['ADMIN_EMAILS', 'ada']
	] as const)('is refused with its name, its value and what is allowed: %s=%s', (name, value) => {
		for (const word of [name, JSON.stringify(value), settings[name].allowed])
			expect(() => readConfig({ [name]: value })).toThrow(word);
	});
});

describe('a start that cannot go well', () => {
	useDataDir();

	it('is one line and an exit code', async () => {
		expect(await refusedStart({ PORT: 'http' })).toBe('PORT is "http"; allowed: 0 to 65535.\n');
	});

	it('never shows a secret, not even half a pair', async () => {
		const said = await refusedStart({ GOOGLE_CLIENT_SECRET: 'very-secret' });
		expect(said).toContain('GOOGLE_CLIENT_ID');
		expect(said).not.toContain('very-secret');
	});

	it('is refused where others could reach a server without a sign-in', async () => {
		const said = await refusedStart({ HOST: '0.0.0.0' });
		expect(said).toContain('0.0.0.0');
		expect(said).toContain('GOOGLE_CLIENT_ID');
	});

	it('says which address it cannot listen on', async () => {
		const provider = { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret' };
		const said = await refusedStart({ HOST: '192.0.2.1', ...provider });
		expect(said).toContain('192.0.2.1');
		expect(said).toContain('HOST');
		expect(said).not.toContain('another PORT');
	});

	it('says that a data folder is no folder', async () => {
		const file = path.join(dataDir, 'a-file');
		await writeFile(file, 'not a folder');
		for (const DATA_DIR of [file, path.join(file, 'below')]) {
			const said = await refusedStart({ DATA_DIR });
			expect(said).toContain('DATA_DIR');
			expect(said).toContain(DATA_DIR);
		}
	});

	it('is refused on the folder of another server, which goes on', async () => {
		const server = await start();
		const said = await refusedStart({});
		expect(said).toContain(dataDir);
		expect(said).toContain(String(server.pid));
		expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
	});

	it('is refused on a port in use, and costs the work in hand nothing', slow, async () => {
		const port = await occupyPort();
		const provider = await startProviderDouble();
		onTestFinished(() => provider.close());
		provider.failWhen(() => ({ kind: 'hang' }));
		const env = { OPENAI_BASE_URL: provider.url };

		const first = await start(env);
		const person = await enter(first);
		const { id } = await person.add('waiting.txt', 'a text that waits for its provider');
		await eventually(() => expect(provider.calls.length).toBeGreaterThan(0));
		await first.stop();
		// As often as a process manager tries.
		for (let i = 0; i < 3; i++) expect(await refusedStart({ PORT: port, ...env })).toContain(port);

		provider.failWhen(undefined);
		const again = await start(env);
		const [file] = await (await enter(again)).ended([id]);
		expect(file).toMatchObject({ status: 'completed', error_code: null });
	});
});

describe('a stop', () => {
	useDataDir();

	it.each(['SIGTERM', 'SIGINT'] as const)(
		'by %s says goodbye, gives work back and is over in time',
		slow,
		async (signal) => {
			const provider = await startProviderDouble();
			onTestFinished(() => provider.close());
			const env = { OPENAI_BASE_URL: provider.url };
			const server = await start(env);
			const person = await enter(server);
			provider.failWhen(({ inputs }) => (inputs.length > 1 ? { kind: 'hang' } : undefined));
			const { id } = await person.add('book.pdf', makeLongPdf(60));
			await eventually(() => expect(provider.calls.some(({ fault }) => fault === 'hang')).toBe(true), {
				timeoutMs: 20_000
			});
			const streams = await Promise.all([
				openSse(`${server.url}/api/files/events`, person),
				openSse(`${server.url}/api/files/${id}/events`, person)
			]);
			for (const stream of streams) await stream.next('connected');
			const cursor = await cursorOf(person);
			const poll = person.ask(`/api/files/changes?wait=60&cursor=${cursor}`).catch(() => undefined);
			const upload = await beginUpload(server.url, person.cookie);

			const ended = endOf(server.pid);
			const startedAt = performance.now();
			process.kill(server.pid, signal);
			await ended;
			expect(performance.now() - startedAt).toBeLessThan(5_000);
			expect(await server.stop()).toBe(0);
			for (const stream of streams) {
				expect((await stream.next('bye')).data).toMatchObject({ reason: 'shutdown' });
				expect(stream.isEnded).toBe(true);
			}
			await Promise.all([poll, upload.ended]);
			expect(server.output()).not.toMatch(/unhandled|uncaught|unexpected error/i);

			provider.failWhen(undefined);
			const again = await start(env);
			const back = await enter(again);
			const [file] = await back.ended([id]);
			expect(file).toMatchObject({ status: 'completed', page_count: 60 });
			expect((await back.list()).map(({ filename }) => filename)).toEqual(['book.pdf']);
			expect(await again.stop()).toBe(0);
		}
	);

	it('of a server that nobody talks to is quick, and leaves no lock', async () => {
		const server = await start();
		const startedAt = performance.now();
		expect(await server.stop()).toBe(0);
		expect(performance.now() - startedAt).toBeLessThan(3_000);
		expect(existsSync(path.join(dataDir, 'lock'))).toBe(false);
	});
});

describe('a crash', () => {
	useDataDir();

	it('leaves a lock that the next start takes over at once', async () => {
		const server = await start();
		await server.kill();
		expect(existsSync(path.join(dataDir, 'lock'))).toBe(true);
		const startedAt = performance.now();
		const again = await start();
		expect(performance.now() - startedAt).toBeLessThan(10_000);
		expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
	});
});

/** Another program that was there first. */
async function occupyPort(): Promise<string> {
	const other = createServer().listen(0, '127.0.0.1');
	await once(other, 'listening');
	onTestFinished(() => void other.close());
	return String((other.address() as AddressInfo).port);
}

/** Where nothing is installed and built yet, npm start would do both under the feet of the other tests. */
const isPrepared = ['node_modules/.asura-lock', 'build/.sources'].every((stamp) =>
	existsSync(path.join(root, stamp))
);

describe.skipIf(!isPrepared)(
	`npm start${isPrepared ? '' : ' (not prepared here: npm test prepares it)'}`,
	() => {
		useDataDir();

		type Started = { npm: number; serverPid: number };

		async function npmStart(): Promise<{ npm: ChildProcess; serverPid: number }> {
			const npm = spawn('npm', ['start'], {
				cwd: root,
				env: { ...process.env, NODE_ENV: '', DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' },
				stdio: ['ignore', 'pipe', 'pipe'],
				// A process group of its own, as a terminal gives it.
				detached: true
			});
			let said = '';
			for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (text) => (said += text));
			await eventually(() => expect(said).toContain('Asura is ready'), { timeoutMs: 30_000 });
			const { pid: serverPid } = JSON.parse(await readFile(path.join(dataDir, 'lock'), 'utf8')) as {
				pid: number;
			};
			onTestFinished(() => [npm.pid ?? 0, serverPid].forEach(killIfAlive));
			return { npm, serverPid };
		}

		it.each([
			['a signal to npm', 'SIGTERM', ({ npm }: Started) => npm],
			['a signal to the server', 'SIGTERM', ({ serverPid }: Started) => serverPid],
			['Ctrl C, which a terminal sends to all of them', 'SIGINT', ({ npm }: Started) => -npm]
		] as const)('ends in an orderly way with %s', async (_, signal, target) => {
			const { npm, serverPid } = await npmStart();
			const ended = Promise.all([once(npm, 'exit'), endOf(serverPid)]);
			const startedAt = performance.now();
			process.kill(target({ npm: npm.pid ?? 0, serverPid }), signal);
			await ended;
			expect(performance.now() - startedAt).toBeLessThan(5_000);
			expect(existsSync(path.join(dataDir, 'lock'))).toBe(false);
		});

		it('ends in an orderly way soon after npm was killed', async () => {
			const { npm, serverPid } = await npmStart();
			const ended = endOf(serverPid);
			npm.kill('SIGKILL');
			await ended;
			expect(existsSync(path.join(dataDir, 'lock'))).toBe(false);
		});
	}
);

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

function killIfAlive(pid: number): void {
	if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
}

/** Resolves when there is no such process any more. */
function endOf(pid: number): Promise<void> {
	return eventually(() => expect(isAlive(pid)).toBe(false), { timeoutMs: 8_000, everyMs: 10 });
}

async function cursorOf(person: { ask(path: string): Promise<Response> }): Promise<string> {
	return (await (await person.ask('/api/files')).json()).cursor;
}

/** An upload that has begun and does not go on. */
async function beginUpload(url: string, cookie: string): Promise<{ ended: Promise<unknown> }> {
	const sending = request(new URL('/api/files/upload', url), {
		method: 'POST',
		headers: { cookie, origin: url, 'content-type': multipartType, 'content-length': 10_000_000 }
	});
	const ended = new Promise((resolve) => sending.once('close', resolve));
	sending.on('error', () => undefined);
	sending.write(partHead({ filename: 'half.txt' }) + 'half of it '.repeat(20_000));
	await eventually(() => expect(sending.writableLength).toBe(0));
	return { ended };
}
