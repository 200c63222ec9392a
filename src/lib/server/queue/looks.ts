// What stands in the queue. pg-boss has no question for these, so its table is asked.
import type { Db } from '../platform/platform.ts';
import { schema } from './boss.ts';

export function createLooks(db: Db, queues: { name: string; deadLetters: string }) {
	const { name, deadLetters } = queues;
	return {
		/** Files in the order in which they will be begun. */
		async waiting(limit: number): Promise<string[]> {
			const { rows } = await db.query<{ file_id: string }>(
				`select data ->> 'fileId' as file_id from ${schema}.job
				 where name = $1 and state < 'active' and start_after <= now() and priority >= 0
				 order by priority desc, created_on, id limit $2`,
				[name, limit]
			);
			return rows.map(({ file_id }) => file_id);
		},

		/** Completed files that get vectors of another model. */
		async waitingForVectors(): Promise<Set<string>> {
			const { rows } = await db.query<{ file_id: string }>(
				`select data ->> 'fileId' as file_id from ${schema}.job
				 where name = $1 and state <= 'active' and data ->> 'kind' = 'vectors'`,
				[name]
			);
			return new Set(rows.map(({ file_id }) => file_id));
		},

		/** Files that are to be processed, with the attempt that their job is for. */
		async live(): Promise<Map<string, number>> {
			const { rows } = await db.query<{ file_id: string; attempt: number }>(
				`select data ->> 'fileId' as file_id, max((data ->> 'attempt')::int) as attempt from ${schema}.job
				 where name = any($1::text[]) and state <= 'active' and data ->> 'kind' is distinct from 'vectors'
				 group by 1`,
				[[name, deadLetters]]
			);
			return new Map(rows.map(({ file_id, attempt }) => [file_id, attempt]));
		},

		async stats(): Promise<{ waiting: number; active: number }> {
			const { rows } = await db.query<{ waiting: number; active: number }>(
				`select count(*) filter (where state < 'active')::int as waiting,
					count(*) filter (where state = 'active')::int as active
				 from ${schema}.job where name = $1 and state <= 'active'`,
				[name]
			);
			return { waiting: rows[0]?.waiting ?? 0, active: rows[0]?.active ?? 0 };
		}
	};
}
