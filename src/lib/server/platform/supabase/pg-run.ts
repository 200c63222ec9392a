import type { ClientBase, QueryResult } from 'pg';
import { DbError, dbErrorFields } from '../db-error.ts';
import type { Result, Row } from '../platform.ts';

/** A script of several statements takes no parameters; the rows of all of them come back. */
export async function run<R = Row>(
	client: ClientBase,
	sql: string,
	params: readonly unknown[]
): Promise<Result<R>> {
	try {
		// pg returns a list of results for a script, which its types do not say.
		const result: QueryResult | QueryResult[] = params.length
			? await client.query(sql, [...params])
			: await client.query(sql);
		const all = Array.isArray(result) ? result : [result];
		return { rows: all.flatMap(({ rows }) => rows), rowCount: all.at(-1)?.rowCount ?? 0 };
	} catch (cause) {
		throw toDbError(cause);
	}
}

export function toDbError(cause: unknown): DbError {
	return new DbError(dbErrorFields(cause), { cause });
}
