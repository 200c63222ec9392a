// A real Postgres of this machine, in a folder of its own, on a socket in that folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chown, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { eventually } from './eventually.ts';
import { removeFolder } from './remove-folder.ts';

export type PostgresServer = {
	url: string;
	/** What a crash of the server does to its clients: `stop`, then `start` again. */
	stop(): Promise<void>;
	start(): Promise<void>;
	close(): Promise<void>;
};

/** The folder of its programs (`POSTGRES_BIN`, or the first that is found), or why there is no Postgres here: a suite that needs one says so when it is skipped. */
export async function findPostgres(): Promise<{ bin: string } | { reason: string }> {
	const versions = await readdir('/usr/lib/postgresql').catch(() => []);
	const { POSTGRES_BIN } = process.env;
	for (const bin of [
		...(POSTGRES_BIN ? [POSTGRES_BIN] : []),
		...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
		'/usr/local/bin',
		'/usr/bin'
	]) {
		const isThere = await access(path.join(bin, 'initdb')).then(
			() => true,
			() => false
		);
		if (isThere) return { bin };
	}
	return { reason: 'no Postgres on this machine (Debian: apt install postgresql)' };
}

export async function startPostgres(bin: string): Promise<PostgresServer> {
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-pg-'));
	const owner = await findOwner();
	if (owner) await chown(folder, owner.uid, owner.gid);
	const data = path.join(folder, 'data');
	await run(
		path.join(bin, 'initdb'),
		['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8'],
		owner
	);
	const url = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`;
	let server: ReturnType<typeof spawn> | undefined;

	async function start(): Promise<void> {
		const settings = [
			'fsync=off',
			'listen_addresses=',
			`unix_socket_directories=${folder}`,
			'wal_level=logical'
		];
		server = spawn(path.join(bin, 'postgres'), ['-D', data, ...settings.flatMap((one) => ['-c', one])], {
			stdio: 'ignore',
			...owner
		});
		await eventually(() => ask(url), { timeoutMs: 20_000, everyMs: 50 });
	}

	async function stop(): Promise<void> {
		if (!server || server.exitCode !== null) return;
		const exit = once(server, 'exit');
		server.kill('SIGQUIT');
		await exit;
	}

	await start();
	return {
		url,
		start,
		stop,
		close: async () => {
			await stop();
			await removeFolder(folder);
		}
	};
}

/** Postgres refuses to run as root. */
async function findOwner(): Promise<{ uid: number; gid: number } | undefined> {
	if (process.getuid?.() !== 0) return undefined;
	const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
	const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
	if (!user) throw new Error('There is no user other than root to run Postgres.');
	return { uid: Number(user[2]), gid: Number(user[3]) };
}

async function run(
	program: string,
	args: string[],
	owner: { uid: number; gid: number } | undefined
): Promise<void> {
	const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], ...owner });
	let said = '';
	child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
	const [code] = await once(child, 'close');
	if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`);
}

async function ask(url: string): Promise<void> {
	const client = new Client({ connectionString: url });
	try {
		await client.connect();
		await client.query('select 1');
	} finally {
		await client.end();
	}
}
