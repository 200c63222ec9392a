// Db on PGlite, which runs in a worker thread (session.ts says in which order).
import { DbError } from '../db-error.ts';
import { createOwnHandle } from '../own-handle.ts';
import type { Db, Result, Row, Stop, Tx } from '../platform.ts';
import { beginAs } from '../row-level-security.ts';
import type { CopyRequest } from './copy.ts';
import type { WorkerOptions } from './pglite-protocol.ts';
import { WorkerCalls, type WorkerNews } from './worker-calls.ts';

export type PgliteOptions = Partial<WorkerOptions> & {
	/** The thread died; every call fails from now on. */
	onCrash?: (error: Error) => void;
	onMaintenanceFailed?: (error: Error) => void;
};

export async function openPgliteDb(options: PgliteOptions = {}): Promise<PgliteDb> {
	const db = new PgliteDb(options);
	await db.ready;
	return db;
}

export class PgliteDb implements Db {
	readonly ready: Promise<void>;
	readonly #options: PgliteOptions;
	readonly #calls: WorkerCalls;
	readonly #ownHandle = createOwnHandle();
	readonly #listeners = new Map<string, Set<(payload: string) => void>>();
	readonly #expiries = new Map<number, (error: Error) => void>();
	readonly #started = Promise.withResolvers<void>();

	constructor(options: PgliteOptions) {
		this.ready = this.#started.promise;
		this.#options = options;
		const { dataDir, loadFrom, idleTransactionMs = 10_000, maintenanceMs = 60_000 } = options;
		this.#calls = new WorkerCalls(
			{ dataDir, loadFrom, idleTransactionMs, maintenanceMs },
			(news) => this.#hear(news),
			(error) => this.#crash(error)
		);
	}

	async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<Result<R>> {
		this.#ownHandle.refuseInside();
		return (await this.#calls.call({ op: 'query', sql, params })) as Result<R>;
	}

	async tx<T>(fn: (tx: Tx) => Promise<T>, options: { as?: { userId: string } } = {}): Promise<T> {
		this.#ownHandle.refuseInside();
		const id = (await this.#calls.call({ op: 'begin', sql: beginAs(options.as?.userId) })) as number;
		const expiry = Promise.withResolvers<never>();
		this.#expiries.set(id, expiry.reject);
		try {
			const work = this.#ownHandle.run(() => fn(this.#handle(id)));
			const result = await Promise.race([work, expiry.promise]);
			await this.#calls.call({ op: 'end', transaction: id, how: 'commit' });
			return result;
		} catch (error) {
			// Already ended when it expired or the commit failed; the error that counts is the first.
			await this.#calls.call({ op: 'end', transaction: id, how: 'rollback' }).catch(() => undefined);
			throw error;
		} finally {
			this.#expiries.delete(id);
		}
	}

	async listen(channel: string, onNotify: (payload: string) => void): Promise<Stop> {
		const listeners = this.#listeners.get(channel) ?? new Set();
		this.#listeners.set(channel, listeners);
		// A wrapper of its own: the same function may listen twice.
		const listener = (payload: string) => onNotify(payload);
		await this.query(`listen ${quoteName(channel)}`);
		listeners.add(listener);
		return async () => {
			if (!listeners.delete(listener) || listeners.size > 0) return;
			await this.query(`unlisten ${quoteName(channel)}`);
			// Somebody may have begun to listen in the meantime.
			if (listeners.size > 0) await this.query(`listen ${quoteName(channel)}`);
		};
	}

	async notify(channel: string, payload: string): Promise<void> {
		// Nothing here is worth waiting for the disk.
		await this.query(`select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`, [
			channel,
			payload
		]);
	}

	/** Database and blobs of one moment; everybody waits meanwhile. */
	async copy(request: CopyRequest): Promise<void> {
		this.#ownHandle.refuseInside();
		await this.#calls.call({ op: 'copy', ...request });
	}

	/** The whole database as a tar file, by way of memory; everybody waits meanwhile. */
	async dump(path: string): Promise<void> {
		this.#ownHandle.refuseInside();
		await this.#calls.call({ op: 'dump', path });
	}

	close(): Promise<void> {
		return this.#calls.close();
	}

	#handle(transaction: number): Tx {
		return {
			query: async <R>(sql: string, params: readonly unknown[] = []) =>
				(await this.#calls.call({ op: 'queryInside', transaction, sql, params })) as Result<R>
		};
	}

	#hear(message: WorkerNews): void {
		switch (message.news) {
			case 'ready':
				return this.#started.resolve();
			case 'notification':
				for (const listener of this.#listeners.get(message.channel) ?? []) listener(message.payload);
				return;
			case 'expired': {
				const reason = 'The transaction was rolled back, because nothing was heard of it for too long.';
				return this.#expiries.get(message.transaction)?.(new Error(reason));
			}
			case 'maintenance failed':
				return this.#options.onMaintenanceFailed?.(new DbError(message.error));
		}
	}

	#crash(error: Error): void {
		this.#started.reject(error);
		for (const expire of this.#expiries.values()) expire(error);
		this.#options.onCrash?.(error);
	}
}

function quoteName(name: string): string {
	return `"${name.replaceAll('"', '""')}"`;
}
