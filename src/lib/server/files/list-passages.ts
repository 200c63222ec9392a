// The passages into which a file was cut, in order: what the search finds, as it finds it.
import * as v from 'valibot';
import { PassagesAnswer } from '#lib/shared/api.ts';
import { limits } from '#lib/shared/limits.ts';
import type { Db } from '../platform/platform.ts';
import { getFile } from './read.ts';

const Passages = PassagesAnswer.entries.passages;

export async function listPassages(
	db: Db,
	userId: string,
	id: string,
	after: number
): Promise<PassagesAnswer> {
	await getFile(db, userId, id);
	const { rows } = await db.tx((tx) => tx.query(passagesSql, [id, after, limits.passagesPage + 1]), {
		as: { userId }
	});
	const passages = v.parse(Passages, rows).slice(0, limits.passagesPage);
	const last = passages.at(-1);
	return { passages, next: rows.length > passages.length && last ? last.ordinal + 1 : null };
}

const passagesSql = `
	select c.ordinal, c.page, c.section, c.text from public.chunks c
	where c.file_id = $1 and c.ordinal >= $2::int order by c.ordinal limit $3::int`;
