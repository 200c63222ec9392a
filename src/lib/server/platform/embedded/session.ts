// PGlite is ONE session, so everything that speaks to it takes one lock, first come, first served: a statement for
// its own time, a transaction from begin to end. Whatever a statement outside a transaction leaves behind (pg-boss
// sends whole BEGIN … COMMIT scripts, which can fail half way) is rolled back before the next one gets the lock.
// A transaction of which nothing is heard for a while is rolled back, since it keeps everybody waiting.
import type { PGlite } from '@electric-sql/pglite';
import { createLock } from './lock.ts';

export type Rows = { rows: unknown[]; rowCount: number };

export type Session = ReturnType<typeof createSession>;

type SessionOptions = {
	idleTransactionMs: number;
	onExpired: (transaction: number) => void;
};

export function createSession(pg: PGlite, options: SessionOptions) {
	const acquire = createLock();
	let open: { id: number; release: () => void; timer: NodeJS.Timeout } | undefined;

	async function alone<T>(work: () => Promise<T>): Promise<T> {
		const release = await acquire();
		try {
			return await work();
		} finally {
			await rollBackLeftovers();
			release();
		}
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
		open = { id, release, timer: startTimer(id) };
		return id;
	}

	async function queryInside(id: number, sql: string, params: readonly unknown[]): Promise<Rows> {
		const current = find(id);
		clearTimeout(current.timer);
		try {
			return await run(pg, sql, params);
		} finally {
			clearTimeout(current.timer);
			if (open === current) current.timer = startTimer(id);
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

	function startTimer(id: number): NodeJS.Timeout {
		return setTimeout(() => {
			if (open?.id !== id) return;
			options.onExpired(id);
			// A rollback has no way to fail that would leave anybody to tell.
			void end(id, 'rollback');
		}, options.idleTransactionMs);
	}

	function find(id: number): NonNullable<typeof open> {
		if (open?.id !== id) throw new Error('The transaction has already ended.');
		return open;
	}

	async function rollBackLeftovers(): Promise<void> {
		if (!pg.closed && pg.isInTransaction()) await pg.exec('rollback');
	}

	return {
		alone,
		begin,
		queryInside,
		end,
		query: (sql: string, params: readonly unknown[]) => alone(() => run(pg, sql, params))
	};
}

/** A script of several statements takes no parameters; the rows of all of them come back. */
async function run(pg: PGlite, sql: string, params: readonly unknown[]): Promise<Rows> {
	if (params.length > 0) {
		const { rows, rowCount = 0 } = await pg.query(sql, [...params]);
		return { rows, rowCount };
	}
	const results = await pg.exec(sql);
	return { rows: results.flatMap((result) => result.rows), rowCount: results.at(-1)?.rowCount ?? 0 };
}
