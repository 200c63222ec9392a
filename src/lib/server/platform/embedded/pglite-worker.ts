// The thread in which PGlite runs: a statement blocks it, never the thread that serves people.
//
// PGlite is ONE session, so everything that speaks to it takes one lock, first come, first served: a statement for
// its own time, a transaction from begin to end. Whatever a statement outside a transaction leaves behind (pg-boss
// sends whole BEGIN … COMMIT scripts, which can fail half way) is rolled back before the next one gets the lock.
import { readFile, writeFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { dbErrorFields } from '../db-error.ts';
import { createLock } from './lock.ts';
import type { News, Request, WorkerOptions } from './pglite-protocol.ts';

if (!parentPort) throw new Error('pglite-worker.ts runs in a worker thread only');
const port = parentPort;
const options: WorkerOptions = workerData;
const bigint = 20;

const pg = await PGlite.create({
	dataDir: options.dataDir,
	extensions: { vector },
	// As every other driver does: a JavaScript number would be wrong above 2^53.
	parsers: { [bigint]: (value: string) => value },
	...(options.loadFrom && { loadDataDir: new Blob([await readFile(options.loadFrom)]) })
});
const acquire = createLock();
let open: { id: number; release: () => void; timer: NodeJS.Timeout } | undefined;

pg.onNotification((channel, payload) => tell({ news: 'notification', channel, payload }));
port.on('message', (request: Request & { id: number }) => void answer(request));
tell({ news: 'ready' });

async function answer(request: Request & { id: number }): Promise<void> {
	try {
		port.postMessage({ id: request.id, value: await handle(request) });
	} catch (error) {
		port.postMessage({ id: request.id, error: dbErrorFields(error) });
	}
}

function handle(request: Request & { id: number }): Promise<unknown> {
	switch (request.op) {
		case 'query':
			return alone(() => run(request.sql, request.params));
		case 'begin':
			return begin(request.id, request.sql);
		case 'queryInside':
			return inside(request.transaction, () => run(request.sql, request.params));
		case 'end':
			return end(request.transaction, request.how);
		case 'dump':
			return alone(() => dump(request.path));
		case 'close':
			return alone(() => pg.close());
	}
}

async function alone<T>(work: () => Promise<T>): Promise<T> {
	const release = await acquire();
	try {
		return await work();
	} finally {
		await rollBackLeftovers();
		release();
	}
}

async function rollBackLeftovers(): Promise<void> {
	if (!pg.closed && pg.isInTransaction()) await pg.exec('rollback');
}

async function begin(id: number, sql: string): Promise<number> {
	const release = await acquire();
	try {
		await pg.exec(sql);
	} catch (error) {
		await rollBackLeftovers();
		release();
		throw error;
	}
	open = { id, release, timer: setTimeout(expire, options.idleTransactionMs, id) };
	return id;
}

async function inside<T>(id: number, work: () => Promise<T>): Promise<T> {
	const current = find(id);
	clearTimeout(current.timer);
	try {
		return await work();
	} finally {
		clearTimeout(current.timer);
		if (open === current) current.timer = setTimeout(expire, options.idleTransactionMs, id);
	}
}

async function end(id: number, how: 'commit' | 'rollback'): Promise<void> {
	const { timer, release } = find(id);
	clearTimeout(timer);
	open = undefined;
	try {
		const [result] = await pg.exec(how);
		if (how === 'commit' && result?.command === 'ROLLBACK') {
			throw new Error('The transaction could not be committed, because a statement in it had failed.');
		}
	} finally {
		await rollBackLeftovers();
		release();
	}
}

function expire(id: number): void {
	if (open?.id !== id) return;
	tell({ news: 'expired', transaction: id });
	void end(id, 'rollback');
}

function find(id: number): NonNullable<typeof open> {
	if (open?.id !== id) throw new Error('The transaction has already ended.');
	return open;
}

async function run(sql: string, params: readonly unknown[]): Promise<{ rows: unknown[]; rowCount: number }> {
	if (params.length > 0) {
		const { rows, rowCount = 0 } = await pg.query(sql, [...params]);
		return { rows, rowCount };
	}
	const results = await pg.exec(sql);
	return { rows: results.flatMap((result) => result.rows), rowCount: results.at(-1)?.rowCount ?? 0 };
}

async function dump(path: string): Promise<void> {
	const file = await pg.dumpDataDir('none');
	await writeFile(path, file.stream());
}

function tell(news: News): void {
	port.postMessage(news);
}
