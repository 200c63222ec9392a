// npm run bench scale -- [--files 300]
// Several processes on a real Postgres: files a second with 1, 2 and 4 workers beside what the queue alone could do;
// how fast files are written to while somebody watches; how long a commit takes to a browser of another process. On the
// server of DATABASE_URL, in databases of its own, or on one that it starts.
import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApp } from '#lib/server/app.ts';
import { readConfig } from '#lib/server/config.ts';
import { silentLog } from '#lib/server/log.ts';
import { PgDb } from '#lib/server/platform/supabase/pg-db.ts';
import { pageText } from '../../tests/support/make-files.ts';
import { findPostgres, startPostgres } from '../../tests/support/postgres.ts';
import { ask, percentile, print, say, start } from './bench/processes.ts';
import type { Collected, Prepared, Written } from './bench/protocol.ts';

const { values } = parseArgs({ options: { files: { type: 'string', default: '300' } } });
const files = Number(values.files);
const sentAtOnce = 20;
const own = process.env.DATABASE_URL ? undefined : await startOwn();
const server = process.env.DATABASE_URL ?? own?.url ?? '';

try {
	say(`${files} texts, ${cpus().length} processors for everything, Postgres included`);
	print('', 'files/s', 'queue alone', 'ratio');
	for (const workers of [1, 2, 4]) {
		const real = await measureWorkers('pipeline', workers);
		const ceiling = await measureWorkers('empty', workers);
		const name = `${workers} worker${workers > 1 ? 's' : ''}`;
		print(name, real.toFixed(1), ceiling.toFixed(1), (real / ceiling).toFixed(2));
	}
	await withDatabase(measureStream);
} finally {
	await own?.close();
}

async function startOwn() {
	const found = await findPostgres();
	if ('reason' in found) throw new Error(`DATABASE_URL is not set, and there is ${found.reason}.`);
	return startPostgres(found.bin);
}

/** Files that end, or jobs, in a second: all wait already when the workers begin. */
async function measureWorkers(kind: 'pipeline' | 'empty', count: number): Promise<number> {
	return withDatabase(async (url, folder) => {
		const env = { DATABASE_URL: url, DATA_DIR: folder, DATABASE_CONNECTIONS: '6', ROLE: 'worker' };
		const app = await createApp(readConfig({ ...env, ROLE: 'web' }), { log: silentLog });
		await app.queue.start();
		const { session } = await app.auth.signInLocally('bench@localhost', 'bench');
		await send(app, session.userId);
		const workers = await Promise.all(Array.from({ length: count }, () => startWorker(kind, env)));
		const startedAt = performance.now();
		for (const worker of workers) worker.send('go');
		for (;;) {
			const { waiting, active } = await app.queue.stats();
			if (waiting + active === 0) break;
			await setTimeout(20);
		}
		const seconds = (performance.now() - startedAt) / 1000;
		for (const worker of workers) {
			worker.kill('SIGTERM');
			await once(worker, 'exit');
		}
		await app.stop();
		return files / seconds;
	});
}

async function startWorker(kind: string, env: Record<string, string>): Promise<ChildProcess> {
	const worker = start('scale-worker', [kind], env);
	await once(worker, 'message');
	return worker;
}

async function send(app: Awaited<ReturnType<typeof createApp>>, userId: string): Promise<void> {
	for (let from = 0; from < files; from += sentAtOnce) {
		const form = new FormData();
		for (let i = from; i < Math.min(files, from + sentAtOnce); i++)
			form.append('file', new Blob([`${pageText(i)}\n\n${pageText(files + i)}`]), `notes-${i}.txt`);
		const request = new Request('http://localhost/', { method: 'POST', body: form });
		const { errors } = await app.uploads.receive({
			userId,
			body: Readable.from(request.body ?? []),
			contentType: request.headers.get('content-type'),
			signal: new AbortController().signal
		});
		if (errors[0]) throw new Error(`not accepted: ${errors[0].code}`);
	}
}

async function measureStream(url: string): Promise<void> {
	const env = { DATABASE_URL: url };
	const writer = start('stream-server', ['asura'], env);
	// One makes the schema before the other asks for it.
	const person = { person: 0, writers: 8 };
	await ask<Prepared>(writer, { do: 'prepare', people: 1 });
	const web = start('stream-server', ['asura'], env);
	const prepared = await ask<Prepared>(web, { do: 'prepare', people: 1 });
	const browser = start('stream-client', []);
	const write = (ms: number, withBell: boolean) =>
		ask<Written>(writer, { do: 'write', ...person, ms, withBell });
	await write(1000, false);
	const alone = await write(5000, false);
	await ask(browser, { do: 'connect', ...prepared, count: 1 });
	const watched = await write(5000, false);
	print('', 'nobody', 'watched', 'ratio', 'target');
	print(
		'writes a second, 8 writers without a pause',
		alone.perSecond.toFixed(0),
		watched.perSecond.toFixed(0),
		(watched.perSecond / alone.perSecond).toFixed(2),
		'≥ 0.8'
	);
	await ask(browser, { do: 'collect' });
	const ticks = await write(8000, true);
	const { arrivals } = await ask<Collected>(browser, { do: 'collect' });
	const arrivedAt = new Map(arrivals);
	const delays = ticks.commits.flatMap(([key, at]) => {
		const arrived = arrivedAt.get(key);
		return arrived === undefined ? [] : [arrived - at];
	});
	print('', 'p50', 'p99', 'told', 'target');
	print(
		'commit to browser, 8 writers with four ticks a second, ms',
		percentile(delays, 0.5).toFixed(1),
		percentile(delays, 0.99).toFixed(1),
		`${((delays.length / ticks.commits.length) * 100).toFixed(0)} %`,
		'≤ 25, ≤ 100'
	);
	for (const child of [browser, web, writer]) {
		child.kill();
		await once(child, 'exit');
	}
}

async function withDatabase<T>(work: (url: string, folder: string) => Promise<T>): Promise<T> {
	const name = `bench_${randomUUID().replaceAll('-', '')}`;
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-bench-'));
	const admin = new PgDb({ url: server, log: silentLog, connections: 1 });
	try {
		await admin.query(`create database ${name}`);
		const url = new URL(server);
		url.pathname = `/${name}`;
		return await work(url.href, folder);
	} finally {
		await admin.query(`drop database if exists ${name} with (force)`);
		await admin.close();
		await rm(folder, { recursive: true, force: true });
	}
}
