// The list as somebody looks at it, page by page: for the first paint, and for whoever has no scripts. With scripts the
// browser has all files and does the same by itself (client/list.ts).
import { limits } from '#lib/shared/limits.ts';
import { type ListView, shows, statusOrder } from '#lib/shared/list-view.ts';
import { typesOf } from '#lib/shared/kinds.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import type { Db } from '../platform/platform.ts';
import { fileColumns, toStoredFile } from './row.ts';

export type ViewAnswer = {
	files: StoredFile[];
	/** How many the view has, and how many there are. */
	found: number;
	total: number;
};

type Row = Record<string, unknown> & { found: number };

export async function viewFiles(
	db: Db,
	userId: string,
	{ status, type, name, sort }: ListView,
	page = 1
): Promise<ViewAnswer> {
	const params = [
		userId,
		status === undefined ? null : shows[status].statuses,
		type === undefined ? null : typesOf(type),
		name,
		limits.viewPage,
		(page - 1) * limits.viewPage
	];
	return db.tx(
		async (tx) => {
			const { rows } = await tx.query<Row>(viewSql(orders[sort]), params);
			const { rows: counts } = await tx.query<{ total: number }>(
				'select count(*)::float8 as total from public.files where scope_id = $1',
				[userId]
			);
			const files = rows.map(({ found: _, ...row }) => toStoredFile(row));
			return { files, found: rows[0]?.found ?? 0, total: counts[0]?.total ?? 0 };
		},
		{ as: { userId } }
	);
}

const newest = 'f.created_at desc, f.id desc';
const orders: Record<ListView['sort'], string> = {
	newest,
	name: `lower(f.filename), ${newest}`,
	size: `f.size_bytes desc, ${newest}`,
	status: `array_position(array['${statusOrder.join("', '")}'], f.status), ${newest}`
};

const viewSql = (order: string) => `
	select ${fileColumns}, count(*) over ()::float8 as found
	from public.files f
	where f.scope_id = $1
		and ($2::text[] is null or f.status = any($2::text[]))
		and ($3::text[] is null or f.file_type = any($3::text[]))
		and position(lower($4::text) in lower(concat_ws('/', nullif(f.folder, ''), f.filename))) > 0
	order by ${order}
	limit $5::int offset $6::int`;
