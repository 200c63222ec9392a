// What a person's files take and what compressing them saved.
import * as v from 'valibot';
import type { Db } from '../platform/platform.ts';

export type Usage = v.InferOutput<typeof Usage>;

const Usage = v.object({
	files: v.number(),
	/** What counts for the quota: originals, the same bytes once. */
	usedBytes: v.number(),
	/** By how much the compressed versions are smaller than their originals. */
	savedBytes: v.number()
});

export async function findUsage(db: Db, userId: string): Promise<Usage> {
	const { rows } = await db.tx((tx) => tx.query(usageSql, [userId]), { as: { userId } });
	return v.parse(Usage, rows[0]);
}

const usageSql = `
	select count(*)::float8 as files,
		coalesce(sum(size_bytes) filter (where duplicate_of is null), 0)::float8 as "usedBytes",
		coalesce(sum(greatest(size_bytes - compressed_bytes, 0)), 0)::float8 as "savedBytes"
	from public.files where user_id = $1`;
