// Passwords of protected files, from the request that brings one to the process that needs it. In a row only sealed,
// once for each worker that is alive, and only that worker's memory has the key; never in a job or a log. When the
// worker ends first, the file fails as protected once more and its owner is asked again (docs/decisions/081).
import type { Db, Queryable, Tx } from '../platform/platform.ts';
import type { Workers } from './workers.ts';

export type Passwords = ReturnType<typeof createPasswords>;

export function createPasswords(db: Db, workers: Pick<Workers, 'id' | 'open' | 'sealForAll'>) {
	return {
		/** In the transaction that queues the work, which then finds it. */
		async keep(tx: Tx, fileId: string, password: string): Promise<void> {
			const sealed = await workers.sealForAll(tx, password);
			await tx.query(keepSql, [fileId, sealed.map((one) => one.workerId), sealed.map((one) => one.sealed)]);
		},

		async find(fileId: string): Promise<string | undefined> {
			const { rows } = await db.query<{ sealed: string }>(
				`select sealed from asura.passwords where file_id = $1 and worker_id = $2 and expires_at > now()`,
				[fileId, workers.id]
			);
			return rows[0] && workers.open(rows[0].sealed);
		},

		async forget(fileId: string, on: Queryable = db): Promise<void> {
			await on.query('delete from asura.passwords where file_id = $1', [fileId]);
		}
	};
}

/** A worker that left a moment ago needs none any more. */
const keepSql = `
	insert into asura.passwords as p (file_id, worker_id, sealed, expires_at)
	select $1::uuid, w.id, u.sealed, now() + interval '1 hour'
	from unnest($2::text[], $3::text[]) as u (worker_id, sealed)
	join asura.workers w on w.id = u.worker_id::uuid
	on conflict (file_id, worker_id) do update set sealed = excluded.sealed, expires_at = excluded.expires_at`;
