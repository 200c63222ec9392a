// One transaction on one connection of the pool. When the server ends it (nothing was heard of it for too long, or the
// connection broke), `broken` rejects: its work may hang, and whoever waits for it must not.
import type { PoolClient } from 'pg';
import { DbError, dbErrorFields } from '../db-error.ts';
import type { Tx } from '../platform.ts';
import { run, toDbError } from './pg-run.ts';

const idleTimeout = '25P03';

export type PgTransaction = ReturnType<typeof createTransaction>;

export function createTransaction(client: PoolClient) {
	const failure = Promise.withResolvers<never>();
	let hasEnded = false;
	let isUsable = true;
	// A work that fails by itself first leaves nobody waiting for this.
	failure.promise.catch(() => undefined);
	client.on('error', fail);

	function fail(cause: Error): void {
		hasEnded = true;
		isUsable = false;
		const fields = dbErrorFields(cause);
		const message = 'The transaction was rolled back, because nothing was heard of it for too long.';
		failure.reject(new DbError(fields.code === idleTimeout ? { ...fields, message } : fields, { cause }));
	}

	const handle: Tx = {
		query: async (sql, params = []) => {
			if (hasEnded) throw new Error('The transaction has already ended.');
			return run(client, sql, params);
		}
	};

	async function commit(): Promise<void> {
		hasEnded = true;
		const { command } = await client.query('commit').catch((cause: unknown) => {
			throw toDbError(cause);
		});
		if (command !== 'ROLLBACK') return;
		throw new Error('The transaction could not be committed, because a statement in it had failed.');
	}

	/** The error that led here is the one that counts. */
	async function rollBack(): Promise<void> {
		hasEnded = true;
		if (!isUsable) return;
		isUsable = await client.query('rollback').then(
			() => true,
			() => false
		);
	}

	return {
		handle,
		broken: failure.promise,
		commit,
		rollBack,
		release: () => {
			client.off('error', fail);
			client.release(!isUsable);
		}
	};
}
