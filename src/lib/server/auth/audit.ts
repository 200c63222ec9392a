// What operators do: who, what, when. A row, which stays for a year, and a line of the log, which may go elsewhere and
// cannot be changed by whoever can write to the database.
import * as v from 'valibot';
import type { Log } from '../log.ts';
import type { Db } from '../platform/platform.ts';

export type Act = { who: string; what: string; details?: Record<string, unknown> };
const Noted = v.object({
	id: v.string(),
	at: v.pipe(
		v.date(),
		v.transform((at) => at.toISOString())
	),
	who: v.string(),
	what: v.string()
});
type Noted = v.InferOutput<typeof Noted>;
export type Audit = ReturnType<typeof createAudit>;

export function createAudit({ db, log }: { db: Db; log: Log }) {
	return {
		/** Before it is done: an act that cannot be noted does not happen. */
		async note({ who, what, details = {} }: Act): Promise<void> {
			await db.query('insert into asura.audit (who, what, details) values ($1, $2, $3::jsonb)', [
				who,
				what,
				JSON.stringify(details)
			]);
			log.info({ audit: { who, what, ...details } }, 'an operator acts');
		},

		/** Newest first. */
		async latest(count: number): Promise<Noted[]> {
			const { rows } = await db.query(
				`select id::text, at, who, what from asura.audit order by at desc limit $1`,
				[count]
			);
			return v.parse(v.array(Noted), rows);
		},

		async prune(): Promise<void> {
			await db.query(`delete from asura.audit where at < now() - interval '1 year'`);
		}
	};
}
