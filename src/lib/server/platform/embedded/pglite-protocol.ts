// What passes between PgliteDb and its worker thread. Every request is answered exactly once, under its id.
import type { DbErrorFields } from '../db-error.ts';
import type { CopyRequest } from './copy.ts';

export type Request =
	| { op: 'query'; sql: string; params: readonly unknown[] }
	/** Takes the lock and runs `sql`, which begins a transaction; the answer is the transaction's number. */
	| { op: 'begin'; sql: string }
	| { op: 'queryInside'; transaction: number; sql: string; params: readonly unknown[] }
	| { op: 'end'; transaction: number; how: 'commit' | 'rollback' }
	/** The whole database as a tar file; made in memory, for small ones. */
	| { op: 'dump'; path: string }
	| ({ op: 'copy' } & CopyRequest)
	| { op: 'close' };

export type Answer = { id: number; value: unknown } | { id: number; error: DbErrorFields };

/** What the worker says without being asked. */
export type News =
	| { news: 'ready' }
	| { news: 'notification'; channel: string; payload: string }
	/** Nothing was heard of it for too long: it is rolled back. */
	| { news: 'expired'; transaction: number }
	| { news: 'maintenance failed'; error: DbErrorFields }
	/** The engine gave up; the thread ends now. */
	| { news: 'broken'; reason: string };

export type WorkerOptions = {
	/** undefined: in memory. */
	dataDir: string | undefined;
	/** A dump to begin with instead of an empty database. */
	loadFrom: string | undefined;
	idleTransactionMs: number;
	maintenanceMs: number;
};
