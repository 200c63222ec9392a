// What a person sees of her files. Under row-level security, and filtered by the person as well.
import * as v from 'valibot';
import type { ListAnswer, ListQuery } from '#lib/shared/api.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import { limits } from '#lib/shared/limits.ts';
import { problem } from '../errors.ts';
import type { Db } from '../platform/platform.ts';
import { checkFileId } from './ids.ts';
import { isLostSql } from './lost.ts';
import { findReach, type Scope } from './reach.ts';
import { fileColumns, toStoredFile } from './row.ts';

export type Now = { now(): Promise<string> };

/** `scope`: the one that it must be in; without it, any that the person may read. */
export async function findFile(
	db: Db,
	userId: string,
	id: string,
	scope?: Scope
): Promise<StoredFile | undefined> {
	const scopeId = (scope ?? (await findReach(db, userId, id)))?.id;
	if (scopeId === undefined) return undefined;
	const { rows } = await db.tx(
		(tx) =>
			tx.query(`select ${fileColumns} from public.files f where f.id = $1 and f.scope_id = $2`, [
				id,
				scopeId
			]),
		{ as: { userId } }
	);
	return rows[0] && toStoredFile(rows[0]);
}

export async function getFile(db: Db, userId: string, id: string): Promise<StoredFile> {
	const file = await findFile(db, userId, checkFileId(id));
	if (!file) throw problem('file.not_found');
	return file;
}

type Look = { userId: string; scopeId: string };

export async function findSame(
	db: Db,
	{ userId, scopeId }: Look,
	hashes: readonly string[]
): Promise<StoredFile[]> {
	const sql = `
		select distinct on (f.sha256) ${fileColumns} from public.files f
		where f.scope_id = $1 and f.sha256 = any($2::text[]) and not ${isLostSql}
		order by f.sha256, f.created_at desc`;
	const { rows } = await db.tx((tx) => tx.query(sql, [scopeId, hashes]), { as: { userId } });
	return rows.map(toStoredFile);
}

/** Newest first. The cursor is taken before the rows are read: following from it misses nothing. */
export async function listFiles(
	db: Db,
	changes: Now,
	{ userId, scopeId }: Look,
	query: ListQuery
): Promise<ListAnswer> {
	const limit = query.limit ?? limits.listPage;
	const after = query.after === undefined ? undefined : parsePlace(query.after);
	const cursor = await changes.now();
	const params = [
		scopeId,
		after?.createdAt ?? null,
		after?.id ?? null,
		query.status ?? null,
		limit + 1,
		query.tag ?? null
	];
	const { rows } = await db.tx((tx) => tx.query<Placed>(listSql, params), { as: { userId } });
	const last = rows.length > limit ? rows[limit - 1] : undefined;
	return {
		files: rows.slice(0, limit).map(({ place: _, ...row }) => toStoredFile(row)),
		next: last ? formatPlace(last) : null,
		cursor
	};
}

type Placed = Record<string, unknown> & { place: string; id: string };

const listSql = `
	select ${fileColumns}, (extract(epoch from f.created_at) * 1000000)::bigint::text as place
	from public.files f
	where f.scope_id = $1
		and ($2::text is null or (f.created_at, f.id) <
			(timestamptz 'epoch' + $2::text::bigint * interval '1 microsecond', $3::text::uuid))
		and ($4::text is null or f.status = $4::text)
		and ($6::text is null or exists (
			select from public.proposal_passages s join public.proposals p on p.id = s.proposal_id
			where s.file_id = f.id and p.status = 'accepted' and lower(p.title) = lower($6::text)
		))
	order by f.created_at desc, f.id desc
	limit $5::int`;

const Place = v.pipe(
	v.string(),
	v.transform((text) => Buffer.from(text, 'base64url').toString('latin1').split('|')),
	v.tuple([v.pipe(v.string(), v.regex(/^\d{1,17}$/)), v.pipe(v.string(), v.uuid())]),
	v.transform(([createdAt, id]) => ({ createdAt, id }))
);

function parsePlace(text: string): { createdAt: string; id: string } {
	const result = v.safeParse(Place, text);
	if (!result.success) throw problem('request.invalid', { message: '`after` is not the `next` of a list.' });
	return result.output;
}

/** A place in the order, not a row: it stays valid when the row goes. */
function formatPlace({ place, id }: Placed): string {
	return Buffer.from(`${place}|${id}`, 'latin1').toString('base64url');
}
