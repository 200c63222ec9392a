// Db on a Postgres server, Supabase's or one's own, by a bounded pool of connections. Limits are the server's, so that
// they hold for a process that hangs, too. Notifications have a connection of their own (pg-listener.ts).
import { Pool, type PoolClient } from 'pg';
import { problem } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { createOwnHandle } from '../own-handle.ts';
import type { Db, Result, Row, Stop, Tx } from '../platform.ts';
import { beginAs } from '../row-level-security.ts';
import { PgListener } from './pg-listener.ts';
import { run } from './pg-run.ts';
import { createTransaction } from './pg-transaction.ts';

export type PgOptions = {
	url: string;
	log: Log;
	connections?: number;
	statementMs?: number;
	idleTransactionMs?: number;
	/** For a connection of the pool to become free. */
	waitMs?: number;
};

/**
 * An index of vectors is everybody's: it looks further when what was found is of others (search/vector-index.ts; where
 * there is no pgvector it is a name without a meaning). And our statements are short, while translating one to machine
 * code takes seconds as soon as the planner thinks that it is not.
 */
const settingsSql = `
	select set_config('statement_timeout', $1, false), set_config('idle_in_transaction_session_timeout', $2, false),
		set_config('hnsw.iterative_scan', 'relaxed_order', false), set_config('jit', 'off', false)`;

export class PgDb implements Db {
	readonly #pool: Pool;
	readonly #listener: PgListener;
	readonly #ownHandle = createOwnHandle();
	#isClosed = false;

	constructor(options: PgOptions) {
		const {
			url,
			log,
			connections = 10,
			statementMs = 60_000,
			idleTransactionMs = 10_000,
			waitMs = 10_000
		} = options;
		this.#pool = new Pool({
			connectionString: url,
			max: connections,
			connectionTimeoutMillis: waitMs,
			keepAlive: true,
			application_name: 'asura',
			// Not as parameters of the connection: PgBouncer refuses those that it does not know.
			onConnect: (client) => client.query(settingsSql, [String(statementMs), String(idleTransactionMs)])
		});
		// A connection that breaks while nobody uses it is replaced at the next use.
		this.#pool.on('error', (error) => log.warn({ error: error.message }, 'a database connection broke'));
		this.#listener = new PgListener(url, log);
	}

	async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<Result<R>> {
		this.#ownHandle.refuseInside();
		const client = await this.#connect();
		client.on('error', alreadyTold);
		let isDone = false;
		try {
			const result = await run<R>(client, sql, params);
			isDone = true;
			return result;
		} finally {
			await giveBack(client, isDone);
		}
	}

	async tx<T>(fn: (tx: Tx) => Promise<T>, options: { as?: { userId: string } } = {}): Promise<T> {
		this.#ownHandle.refuseInside();
		const begin = beginAs(options.as?.userId);
		const transaction = createTransaction(await this.#connect());
		try {
			await transaction.handle.query(begin);
			const work = this.#ownHandle.run(() => fn(transaction.handle));
			const result = await Promise.race([work, transaction.broken]);
			await transaction.commit();
			return result;
		} catch (error) {
			await transaction.rollBack();
			throw error;
		} finally {
			transaction.release();
		}
	}

	async listen(channel: string, onNotify: (payload: string) => void): Promise<Stop> {
		this.#ownHandle.refuseInside();
		return this.#listener.listen(channel, onNotify);
	}

	async notify(channel: string, payload: string): Promise<void> {
		// Nothing here is worth waiting for the disk.
		await this.query(`select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`, [
			channel,
			payload
		]);
	}

	/** Connections there are, and statements that wait for one. */
	pool(): { open: number; idle: number; waiting: number } {
		const { totalCount, idleCount, waitingCount } = this.#pool;
		return { open: totalCount, idle: idleCount, waiting: waitingCount };
	}

	async close(): Promise<void> {
		if (this.#isClosed) return;
		this.#isClosed = true;
		await this.#listener.close();
		await this.#pool.end();
	}

	async #connect(): Promise<PoolClient> {
		if (this.#isClosed) throw new Error('The database is closed.');
		return this.#pool.connect().catch((cause: unknown) => {
			throw problem('server.unavailable', { cause, headers: { 'retry-after': '2' } });
		});
	}
}

/** A script can begin a transaction and not end it; the connection's next user must not be in it. */
async function giveBack(client: PoolClient, isDone: boolean): Promise<void> {
	const isClean = isDone && client.getTransactionStatus() === 'I';
	const isUsable = isClean || (await canRollBack(client));
	client.off('error', alreadyTold);
	client.release(!isUsable);
}

async function canRollBack(client: PoolClient): Promise<boolean> {
	return client.query('rollback').then(
		() => true,
		() => false
	);
}

/** A connection that breaks during a statement says so twice: the statement fails, too. */
function alreadyTold(): void {}
