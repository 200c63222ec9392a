// The texts of the passages that were found, and the files they belong to; under row-level security.
import * as v from 'valibot';
import type { Db } from '#lib/server/platform/platform.ts';

export type Found = v.InferOutput<typeof Found>;

const Found = v.object({
	file_id: v.string(),
	ordinal: v.number(),
	filename: v.string(),
	file_type: v.string(),
	page: v.nullable(v.number()),
	/** null: the file was found by its name and has no text. */
	text: v.nullable(v.string())
});

export async function readPassages(
	db: Db,
	userId: string,
	keys: readonly { file_id: string; ordinal: number }[]
): Promise<Found[]> {
	if (keys.length === 0) return [];
	const files = keys.map((key) => key.file_id);
	const ordinals = keys.map((key) => String(key.ordinal));
	const { rows } = await db.tx((tx) => tx.query(sql, [files, ordinals]), { as: { userId } });
	return v.parse(v.array(Found), rows);
}

const sql = `
	select f.id::text as file_id, key.ordinal, f.filename, f.file_type, c.page, c.text
	from (select distinct file_id::uuid, ordinal::int from unnest($1::text[], $2::text[]) as k (file_id, ordinal)) key
	join public.files f on f.id = key.file_id
	left join public.chunks c on c.file_id = key.file_id and c.ordinal = key.ordinal`;
