// The rows of uploads that are sent in several requests. Everything but sweeping asks with the person who sends: another's
// upload is not found, like one that does not exist.
import * as v from 'valibot';
import { limits } from '#lib/shared/limits.ts';
import { problem } from '../errors.ts';
import { usedBytesSql } from '../files/insert.ts';
import { forOwner, lockOwners } from '../files/owner-lock.ts';
import { checkArrival, type Scope } from '../files/reach.ts';
import type { Db, Tx } from '../platform/platform.ts';

/** Without a sign of life for so long, an upload is forgotten. */
export const expiryMs = 86_400_000;

const OpenUpload = v.object({
	id: v.string(),
	filename: v.string(),
	folder: v.string(),
	sizeBytes: v.number(),
	sha256: v.nullable(v.string()),
	/** That it goes into; null: among the person's own files. */
	projectId: v.nullable(v.string()),
	/** Why it cannot become a file any more: its sender was removed, may only look now, or the project is gone. */
	refusal: v.nullable(v.picklist(['project.not_found', 'project.forbidden'])),
	fileId: v.nullable(v.string()),
	touchedAt: v.string()
});
export type OpenUpload = v.InferOutput<typeof OpenUpload>;
export type Described = Pick<OpenUpload, 'filename' | 'folder' | 'sha256'>;
export type NewUpload = Described & {
	id: string;
	sizeBytes: number;
	addedBy: string;
	/** A project that the person may add to, or the person's own. */
	scope: Scope;
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export type OpenUploads = ReturnType<typeof createOpenUploads>;

export function createOpenUploads(db: Db, { quotaBytes }: { quotaBytes: number }) {
	return {
		/** What is announced is taken from the quota at once. */
		add: (upload: NewUpload): Promise<void> => db.tx((tx) => insert(tx, upload, quotaBytes)),

		async get(userId: string, id: string): Promise<OpenUpload> {
			const { rows } = await db.query(getSql, [uuid.test(id) ? id : null, userId, expiryMs / 1000]);
			if (!rows[0]) throw problem('upload.not_found');
			return v.parse(OpenUpload, rows[0]);
		},

		async touch(id: string): Promise<void> {
			await db.query('update asura.uploads set touched_at = now() where id = $1', [id]);
		},

		async remove(userId: string, id: string): Promise<void> {
			await db.query('delete from asura.uploads where id = $1 and added_by = $2', [id, userId]);
		},

		/** All of a person, and all for the person's storage; their ids. */
		async removeAll(userId: string): Promise<string[]> {
			const sql = 'delete from asura.uploads where added_by = $1 or user_id = $1 returning id::text';
			return (await db.query<{ id: string }>(sql, [userId])).rows.map(({ id }) => id);
		},

		/** Forgets the expired ones; their number. */
		async removeExpired(): Promise<number> {
			const sql = `delete from asura.uploads where touched_at < now() - $1::float8 * interval '1 second'`;
			return (await db.query(sql, [expiryMs / 1000])).rowCount;
		},

		/** Those of `ids` that are no upload which still needs its bytes. */
		async unknown(ids: readonly string[]): Promise<string[]> {
			const { rows } = await db.query<{ id: string }>(
				'select id::text from asura.uploads where file_id is null and id::text = any($1::text[])',
				[ids]
			);
			const known = new Set(rows.map(({ id }) => id));
			return ids.filter((id) => !known.has(id));
		}
	};
}

async function insert(tx: Tx, upload: NewUpload, quotaBytes: number): Promise<void> {
	const { id, addedBy, scope, filename, folder, sizeBytes, sha256 } = upload;
	const { ownerId } = scope;
	const projectId = scope.id === addedBy ? null : scope.id;
	await lockOwners(tx, ownerId, addedBy);
	if (projectId !== null) await checkArrival(tx, { projectId, addedBy, ownerId });
	const open = await tx.query<{ count: number }>(
		'select count(*)::int as count from asura.uploads where added_by = $1 and file_id is null',
		[addedBy]
	);
	if ((open.rows[0]?.count ?? 0) >= limits.maxOpenUploads) throw problem('upload.too_many_open');
	const used = await tx.query<{ used_bytes: number }>(usedBytesSql, [ownerId, null]);
	if ((used.rows[0]?.used_bytes ?? 0) + sizeBytes > quotaBytes) throw problem('upload.quota_exceeded');
	const adding = tx.query(
		`insert into asura.uploads (id, user_id, added_by, project_id, filename, folder, size_bytes, sha256)
		 values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		[id, ownerId, addedBy, projectId, filename, folder, sizeBytes, sha256]
	);
	await forOwner(adding);
}

const getSql = `
	select id::text, filename, folder, size_bytes::float8 as "sizeBytes", sha256, file_id::text as "fileId",
		project_id::text as "projectId",
		case
			when project_id is null or project_id in (select asura.scopes_of(added_by, 'editor')) then null
			when project_id in (select asura.scopes_of(added_by)) then 'project.forbidden'
			else 'project.not_found'
		end as refusal,
		to_char(touched_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "touchedAt"
	from asura.uploads
	where id = $1::text::uuid and added_by = $2 and touched_at > now() - $3::float8 * interval '1 second'`;
