// Large files from the command line: over a line that breaks, and after Ctrl C by the same command again.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeKey } from '../support/keys.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openBegun } from '../../src/cli/asura/begun.ts';
import { createSendMultipart, type Source } from '../../src/cli/asura/send.ts';
import { createSendResumable } from '../../src/cli/asura/send-resumable.ts';
import { sourcesOf } from '../../src/cli/asura/sources.ts';
import { enter, type Person } from './person.ts';
import { begin, filesIn } from './project-people.ts';

const piece = 8 * 1024 * 1024;
const content = Buffer.alloc(20_000_000, 'A lantern in the harbour. ');
const sha256 = createHash('sha256').update(content).digest('hex');

type Line = {
	url: string;
	/** Bytes of bodies that have passed. */
	passed: number;
	/** After so many, once. */
	breaksAt: number;
	how: 'cut' | 'hold';
	/** Requests that are cut before they are answered, after a break. */
	refusals: number;
	close(): Promise<void>;
};

let server: TestServer;
let ada: Person;
let line: Line;
let token: string;
let folder: string;

beforeAll(async () => {
	server = await startServer();
	ada = await enter(server);
	({ token } = await makeKey(ada));
	line = await startLine(server.url);
	folder = await mkdtemp(path.join(tmpdir(), 'asura-cli-'));
	await mkdir(path.join(folder, 'papers/deep'), { recursive: true });
	await writeFile(path.join(folder, 'papers/deep/big.txt'), content);
	await writeFile(path.join(folder, 'papers/small.txt'), 'Small words.');
});
afterAll(async () => {
	await line.close();
	await server.dispose();
	await removeFolder(folder);
});
beforeEach(() => Object.assign(line, { passed: 0, breaksAt: Infinity, how: 'cut', refusals: 0 }));

/** Between the command line and the server. */
async function startLine(target: string, port = 0): Promise<Line> {
	const gateway = createServer((incoming, outgoing) => {
		if (line.breaksAt === -1 && line.refusals-- > 0) return void incoming.socket.destroy();
		const { method, headers, url = '/' } = incoming;
		const onward = request(new URL(url, target), { method, headers, agent: false }, (answer) => {
			outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
			answer.pipe(outgoing);
		});
		onward.on('error', () => outgoing.destroy());
		outgoing.on('close', () => onward.destroy());
		incoming.on('data', (bytes: Buffer) => {
			line.passed += bytes.length;
			if (line.breaksAt < 0 || line.passed < line.breaksAt) return;
			if (line.how === 'hold') return void incoming.unpipe(onward).pause();
			line.breaksAt = -1;
			incoming.socket.destroy();
		});
		incoming.pipe(onward);
	});
	await new Promise<void>((resolve) => void gateway.listen(port, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
		passed: 0,
		breaksAt: Infinity,
		how: 'cut',
		refusals: 0,
		async close() {
			gateway.closeAllConnections();
			await new Promise((resolve) => gateway.close(resolve));
		}
	};
}

function asura(
	...args: string[]
): ChildProcess & { ended: Promise<{ code: number; out: string; err: string }> } {
	const child = spawn(
		process.execPath,
		['--disable-warning=ExperimentalWarning', path.resolve('src/cli/asura.ts'), ...args],
		{ cwd: folder, env: { PATH: process.env.PATH, HOME: folder, ASURA_URL: line.url, ASURA_KEY: token } }
	);
	let [out, err] = ['', ''];
	child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
	child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
	return Object.assign(child, { ended: once(child, 'close').then(([code]) => ({ code, out, err })) });
}

async function sourceOf(given: string): Promise<Source> {
	const source = (await sourcesOf([given], { folder, stdinName: '' }).next()).value;
	if (!source) throw new Error('there is no file');
	return source;
}

const stateFolder = () => path.join(folder, '.local/state/asura/uploads');

it.each(['papers/small.txt', 'papers/deep/big.txt'])(
	'%s waits for a server that was there, also before its first byte',
	async (given) => {
		const gone = await startLine(server.url);
		await gone.close();
		const at = { url: gone.url, key: token };
		const source = await sourceOf(given);
		const begun = openBegun(path.join(folder, 'waiting'));
		const send = given.includes('small') ? createSendMultipart() : createSendResumable(begun);
		const how = { signal: new AbortController().signal, onSent: () => undefined };
		await expect(send(source, at, how)).rejects.toMatchObject({ code: 'network.unreachable' });

		let back: Promise<Line> | undefined;
		const onStalled = () => void (back ??= startLine(server.url, Number(new URL(gone.url).port)));
		const file = await send(source, at, { ...how, isKnownServer: () => true, onStalled });
		expect(file).toMatchObject({ filename: path.basename(given) });
		await (await back)?.close();
		await ada.ask(`/api/files/${file.id}`, { method: 'DELETE' });
	}
);

describe('a large file', { timeout: 60_000 }, () => {
	it('goes on by itself after a broken line, into its project, and its bar never goes back', async () => {
		const project = await begin(ada);
		Object.assign(line, { breaksAt: 13_000_000, refusals: 3 });
		const begun = openBegun(path.join(folder, 'state'));
		const sent: number[] = [];
		let stalls = 0;
		const source = await sourceOf('papers/deep/big.txt');
		const file = await createSendResumable(begun, project.id)(
			source,
			{ url: line.url, key: token },
			{
				signal: new AbortController().signal,
				onSent: (bytes) => sent.push(bytes),
				onStalled: () => (stalls += 1)
			}
		);
		expect(file).toMatchObject({ filename: 'big.txt', folder: '', size_bytes: content.length, sha256 });
		expect((await filesIn(ada, project)).map(({ id }) => id)).toEqual([file.id]);
		expect(stalls).toBeGreaterThanOrEqual(1);
		expect(line.refusals).toBeLessThanOrEqual(0);
		expect(sent).toEqual(sent.toSorted((a, b) => a - b));
		expect(sent.at(-1)).toBe(content.length);
		expect(line.passed).toBeLessThan(content.length + piece);
		expect(begun.count).toBe(0);
		expect(await readdir(path.join(folder, 'state'))).toEqual([]);
	});

	it('goes on with the same command after Ctrl C, in the folder where it was', async () => {
		Object.assign(line, { breaksAt: 13_000_000, how: 'hold' });
		const first = asura('upload', 'papers');
		await eventually(
			async () => {
				expect(line.passed).toBeGreaterThan(13_000_000);
				expect((await ada.list()).map(({ filename }) => filename)).toContain('small.txt');
			},
			{ timeoutMs: 20_000 }
		);
		first.kill('SIGINT');
		const interrupted = await first.ended;
		expect(interrupted.code).toBe(130);
		expect(interrupted.err).toBe(
			'Interrupted; 1 file is kept.\nWhat has arrived of the others stays for a day: the same command goes on.\n'
		);
		const [name = ''] = await readdir(stateFolder());
		const kept = path.join(stateFolder(), name);
		expect((await stat(kept)).mode & 0o777).toBe(0o600);
		expect((await stat(stateFolder())).mode & 0o777).toBe(0o700);
		expect(await readFile(kept, 'utf8')).not.toContain(token);

		Object.assign(line, { passed: 0, breaksAt: Infinity });
		const again = await asura('upload', 'papers', '--json').ended;
		expect(again).toMatchObject({ code: 0, err: '' });
		const files = again.out
			.trim()
			.split('\n')
			.map((one) => JSON.parse(one).file);
		expect(files.find(({ filename }) => filename === 'big.txt')).toMatchObject({
			folder: 'papers/deep',
			sha256
		});
		expect(files.find(({ filename }) => filename === 'small.txt')).toMatchObject({ folder: 'papers' });
		expect(line.passed).toBeLessThan(content.length - piece + 100_000);
		expect(await readdir(stateFolder())).toEqual([]);
	});

	it('is refused in words when it is none that can be read, and nothing is kept for later', async () => {
		await writeFile(
			path.join(folder, 'noise.bin'),
			Buffer.alloc(3_000_000, Buffer.from([0, 1, 2, 200, 255]))
		);
		const { code, out, err } = await asura('upload', 'noise.bin', '--json').ended;
		expect([code, err, JSON.parse(out).code]).toEqual([1, '', 'file.unsupported_type']);
		expect(await readdir(stateFolder())).toEqual([]);
	});
});
