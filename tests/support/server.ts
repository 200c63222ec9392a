// The built server as its own process, on a free port with a data folder of its own: as a person runs it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeFolder } from './remove-folder.ts';

/** As scripts/run.mjs starts it (docs/decisions/005). */
const nodeFlags = [
	'--disable-warning=ExperimentalWarning',
	'--no-memory-protection-keys',
	'--no-wasm-code-gc'
];
const root = path.resolve(import.meta.dirname, '../..');

export type TestServer = {
	url: string;
	dataDir: string;
	pid: number;
	/** Everything the server printed so far. */
	output(): string;
	/** SIGTERM; resolves with the exit code. */
	stop(): Promise<number | null>;
	/** SIGKILL: a crash. */
	kill(): Promise<void>;
	/** Stops, and removes the data folder. */
	dispose(): Promise<void>;
};

export async function startServer(env: Record<string, string> = {}): Promise<TestServer> {
	const dataDir = env.DATA_DIR ?? (await mkdtemp(path.join(tmpdir(), 'asura-test-')));
	const { child, output } = launch({ LOG_LEVEL: 'info', ...env, DATA_DIR: dataDir, PORT: env.PORT ?? '0' });
	const url = await readyUrl(child, output);
	const end = async (signal: NodeJS.Signals) => {
		if (child.exitCode === null && child.signalCode === null) {
			child.kill(signal);
			await once(child, 'exit');
		}
		return child.exitCode;
	};
	return {
		url,
		dataDir,
		pid: child.pid ?? 0,
		output,
		stop: () => end('SIGTERM'),
		kill: async () => void (await end('SIGKILL')),
		dispose: async () => {
			await end('SIGTERM');
			await removeFolder(dataDir);
		}
	};
}

/** A start that is expected to be refused: its exit code and what it said. */
export async function failToStart(
	env: Record<string, string>
): Promise<{ code: number | null; output: string }> {
	const dataDir = env.DATA_DIR ?? (await mkdtemp(path.join(tmpdir(), 'asura-test-')));
	const { child, output } = launch({ PORT: '0', ...env, DATA_DIR: dataDir });
	const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
	await once(child, 'exit');
	clearTimeout(timer);
	if (!env.DATA_DIR) await removeFolder(dataDir);
	return { code: child.exitCode, output: output() };
}

/** Signs a person in and returns the cookie for further requests. */
export async function signIn(server: Pick<TestServer, 'url'>, email = 'ada@localhost'): Promise<string> {
	const answer = await fetch(new URL('/auth/local', server.url), {
		method: 'POST',
		headers: { 'content-type': 'application/json', origin: server.url },
		body: JSON.stringify({ email })
	});
	const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('asura_session='));
	if (answer.status !== 204 || !cookie)
		throw new Error(`sign-in answered ${answer.status}: ${await answer.text()}`);
	return cookie.split(';')[0] ?? '';
}

function launch(env: Record<string, string>) {
	const chunks: string[] = [];
	const child = spawn(process.execPath, [...nodeFlags, 'src/cli/serve.ts'], {
		cwd: root,
		env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...env },
		stdio: ['ignore', 'pipe', 'pipe']
	});
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
	return { child, output: () => chunks.join('') };
}

function readyUrl(child: ChildProcess, output: () => string): Promise<string> {
	return new Promise((resolve, reject) => {
		const look = () => {
			const found = / is ready at (\S+)/.exec(output());
			if (found?.[1]) resolve(found[1]);
		};
		child.stdout?.on('data', look);
		child.once('exit', (code) =>
			reject(new Error(`The server ended with ${code} before it was ready:\n${output()}`))
		);
	});
}
