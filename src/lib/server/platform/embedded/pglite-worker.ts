// The thread in which PGlite runs: a statement blocks it, never the thread that serves people.
import { readFile, writeFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { dbErrorFields } from '../db-error.ts';
import { copyDatabase } from './copy.ts';
import { DurableFs, durableStart } from './durable-fs.ts';
import { createMaintenance } from './maintenance.ts';
import { makeDatabaseOnce } from './new-database.ts';
import type { News, Request, WorkerOptions } from './pglite-protocol.ts';
import { createSession } from './session.ts';

if (!parentPort) throw new Error('pglite-worker.ts runs in a worker thread only');
const port = parentPort;
const { dataDir, loadFrom, idleTransactionMs, maintenanceMs }: WorkerOptions = workerData;
const bigint = 20;
let lastPanic = 'it gave no reason';

if (dataDir) await makeDatabaseOnce(dataDir);
const pg = await PGlite.create({
	extensions: { vector },
	// As every other driver does: a JavaScript number would be wrong above 2^53.
	parsers: { [bigint]: (value: string) => value },
	...(dataDir && { dataDir, fs: new DurableFs(dataDir, { onAbort: stopAtOnce }), startParams: durableStart }),
	onStderr: watchForPanic,
	...(loadFrom && { loadDataDir: new Blob([await readFile(loadFrom)]) })
});
const session = createSession(pg, {
	idleTransactionMs,
	onExpired: (transaction) => tell({ news: 'expired', transaction })
});
const maintain = createMaintenance(pg, session.alone);
let maintenance = setTimeout(keepUp, maintenanceMs);

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
			return session.query(request.sql, request.params);
		case 'begin':
			return session.begin(request.id, request.sql);
		case 'queryInside':
			return session.queryInside(request.transaction, request.sql, request.params);
		case 'end':
			return session.end(request.transaction, request.how);
		case 'dump':
			return session.alone(async () => writeFile(request.path, (await pg.dumpDataDir('none')).stream()));
		case 'copy':
			return session.alone(() => copyDatabase(pg, request));
		case 'close':
			clearTimeout(maintenance);
			return session.alone(() => pg.close());
	}
}

async function keepUp(): Promise<void> {
	try {
		await maintain();
	} catch (error) {
		if (!pg.closed) tell({ news: 'maintenance failed', error: dbErrorFields(error) });
	}
	if (!pg.closed) maintenance = setTimeout(keepUp, maintenanceMs);
}

/** After a panic (a log that cannot be written or synced) PGlite would spin for ever in its next call. */
function stopAtOnce(): never {
	tell({ news: 'broken', reason: lastPanic });
	process.exit(1);
}

function watchForPanic(line: string): boolean {
	lastPanic = line.split('PANIC:')[1]?.trim() ?? lastPanic;
	return false;
}

function tell(news: News): void {
	port.postMessage(news);
}
