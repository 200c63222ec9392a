// The files: this folder is the only place that writes public.files. Every change that is committed rings the bell of
// its owner afterwards.
import type { Readable } from 'node:stream';
import type { FileDetails, ListAnswer, ListQuery, ManyAnswer, PassagesAnswer } from '#lib/shared/api.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import type { ListView } from '#lib/shared/list-view.ts';
import type { Role } from '#lib/shared/projects.ts';
import type { BlobStore, Db, Tx } from '../platform/platform.ts';
import type { Bell } from './bell.ts';
import { type Claim, claimFile } from './claim.ts';
import { listPassages } from './list-passages.ts';
import { type EstimateUsd, findDetails } from './details.ts';
import { type Content, type ContentRequest, openContent } from './content.ts';
import {
	cancelFile,
	giveUpFile,
	preferFile,
	queueAgain,
	removeFile,
	type Retry,
	retryFailed,
	retryFile
} from './end.ts';
import { forgetOwner } from './forget.ts';
import { insertFile, type NewFile, usedBytesSql } from './insert.ts';
import type { Job, Jobs } from './job.ts';
import { actOnEach } from './many.ts';
import { createPasswords } from './passwords.ts';
import { markLost } from './lost.ts';
import { findTwinSql, type Twin } from './reuse.ts';
import { reachFile } from './reach.ts';
import { findFile, findSame, getFile, listFiles, type Now } from './read.ts';
import { findUsage, type Usage } from './usage.ts';
import { viewFiles, type ViewAnswer } from './view.ts';
import { zipFiles } from './zip.ts';
import type { Workers } from './workers.ts';

export type Files = ReturnType<typeof createFiles>;

export type FilesDeps = {
	db: Db;
	blobs: BlobStore;
	bell: Bell;
	jobs: Jobs;
	changes: Now;
	workers: Pick<Workers, 'id' | 'open' | 'sealForAll'>;
	estimateUsd?: EstimateUsd;
};

export function createFiles(deps: FilesDeps) {
	const { db, blobs, bell, jobs, changes, workers, estimateUsd = () => null } = deps;
	const passwords = createPasswords(db, workers);
	const ends = { db, blobs, bell, jobs, passwords };
	/** Beyond this line files are told apart by their owner; who may act for him is decided here. */
	const ownerOf = async (userId: string, id: string, least: Role = 'editor') =>
		(await reachFile(db, userId, id, least)).ownerId;

	return {
		/** Row and job in one transaction. `cursor`: who follows from it hears of this file. */
		async add(file: NewFile): Promise<{ file: StoredFile; isDuplicate: boolean; cursor: string }> {
			const cursor = await changes.now();
			const { ownerId, ...added } = await db.tx((tx) => insertFile(tx, jobs, file));
			bell.ring(ownerId);
			return { ...added, cursor };
		},

		async usedBytes(userId: string): Promise<number> {
			const { rows } = await db.query<{ used_bytes: number }>(usedBytesSql, [userId, null]);
			return rows[0]?.used_bytes ?? 0;
		},

		usage: (userId: string): Promise<Usage> => findUsage(db, userId),
		view: (userId: string, view: ListView, page?: number): Promise<ViewAnswer> =>
			viewFiles(db, userId, view, page),
		/** A person's own, or those of a project that was reached (projects/). */
		list: (userId: string, query: ListQuery, scopeId = userId): Promise<ListAnswer> =>
			listFiles(db, changes, { userId, scopeId }, query),
		find: (userId: string, id: string): Promise<StoredFile | undefined> => findFile(db, userId, id),
		/** Somebody else's file is not found, like one that does not exist. */
		get: (userId: string, id: string): Promise<StoredFile> => getFile(db, userId, id),
		/** Of the files with these hashes one each: the person, or a project that was reached, has those bytes already. */
		known: (userId: string, hashes: readonly string[], scopeId = userId): Promise<StoredFile[]> =>
			findSame(db, { userId, scopeId }, hashes),
		details: async (userId: string, id: string): Promise<FileDetails> =>
			findDetails(db, estimateUsd, await ownerOf(userId, id, 'viewer'), id),
		/** The project that it is in; undefined when it is the person's own. */
		async projectOf(userId: string, id: string): Promise<string | undefined> {
			const scope = await reachFile(db, userId, id);
			return scope.id === scope.ownerId ? undefined : scope.id;
		},
		content: (request: ContentRequest): Promise<Content> => openContent(db, blobs, request),
		passages: (userId: string, id: string, after: number): Promise<PassagesAnswer> =>
			listPassages(db, userId, id, after),
		zip: (userId: string, ids: readonly string[]): Promise<Readable> => zipFiles(db, blobs, userId, ids),

		cancelMany: (userId: string, ids: readonly string[]): Promise<ManyAnswer> =>
			actOnEach(ids, async (id) => cancelFile(ends, await ownerOf(userId, id), id)),
		retryMany: (userId: string, ids: readonly string[]): Promise<ManyAnswer> =>
			actOnEach(ids, async (id) => retryFile(ends, await ownerOf(userId, id), id)),
		removeMany: (userId: string, ids: readonly string[]): Promise<ManyAnswer> =>
			actOnEach(ids, async (id) => {
				await removeFile(ends, await ownerOf(userId, id), id);
				return undefined;
			}),
		/** Everything of this person; `andMore` in the same transaction. */
		forget: (userId: string, andMore: (tx: Tx) => Promise<void>): Promise<void> =>
			forgetOwner(ends, userId, andMore),

		cancel: async (userId: string, id: string): Promise<StoredFile> =>
			cancelFile(ends, await ownerOf(userId, id), id),
		remove: async (userId: string, id: string): Promise<void> =>
			removeFile(ends, await ownerOf(userId, id), id),
		retry: async (userId: string, id: string, how?: Retry): Promise<StoredFile> =>
			retryFile(ends, await ownerOf(userId, id), id, how),
		retryFailed: (userId: string): Promise<StoredFile[]> => retryFailed(ends, userId),
		prefer: async (userId: string, id: string): Promise<StoredFile> =>
			preferFile(ends, await ownerOf(userId, id), id),

		/** `undefined`: the job is not the file's current one, or the file has ended. */
		claim: (job: Job): Promise<Claim | undefined> => claimFile({ db, bell }, job),
		/** Another file with the same bytes in the same scope, done or being done. */
		async findTwin(fileId: string): Promise<Twin | undefined> {
			return (await db.query<Twin>(findTwinSql, [fileId])).rows[0];
		},
		giveUp: (job: Job) => giveUpFile(ends, job),
		/** The new attempt; `undefined` when the file has ended. */
		queueAgain: (file: Pick<Job, 'fileId' | 'sizeBytes'>): Promise<number | undefined> =>
			db.tx((tx) => queueAgain(tx, jobs, file)),
		/** Their bytes are gone; the number of those that nobody knew of. */
		markLost: (ids: readonly string[]): Promise<number> => markLost(ends, ids),
		passwords: { find: passwords.find, forget: passwords.forget },

		/** Those of `ids` that have not ended, and all that are at work here. */
		async unfinished(ids: readonly string[]): Promise<Unfinished[]> {
			return (await db.query<Unfinished>(unfinishedSql, [ids])).rows;
		},

		/** `order`: the files at the head of the queue; the others have no position. */
		async setPositions(order: readonly { id: string; etaSeconds: number | undefined }[]): Promise<void> {
			const ids = order.map(({ id }) => id);
			const times = order.map(({ etaSeconds }) => String(etaSeconds ?? ''));
			const { rows } = await db.query<{ user_id: string }>(positionsSql, [ids, times]);
			for (const userId of new Set(rows.map(({ user_id }) => user_id))) bell.ring(userId);
		}
	};
}

export type Unfinished = {
	id: string;
	status: 'pending' | 'processing';
	fileType: string;
	sizeBytes: number;
	etaSeconds: number | null;
	/** How much of it is embedded, 0 to 1. */
	share: number;
};

const unfinishedSql = `
	select id::text, status, file_type as "fileType", size_bytes::float8 as "sizeBytes",
		eta_seconds::float8 as "etaSeconds", coalesce(stage_progress ->> 'embedding', '0')::float8 as share
	from public.files f where (status = 'pending' and id = any($1::text[]::uuid[])) or (status = 'processing' and not exists (
		select from asura.processor_runs r where r.file_id = f.id and not r.is_decided))`;

/** A remaining time that hardly changed is not worth a message to everybody who looks. */
const positionsSql = `
	update public.files f set queue_position = p.position, eta_seconds = p.eta
	from (
		select f.id, nullif(o.eta, '')::real as eta,
			case when o.id is not null then row_number() over (order by o.place) end as position
		from public.files f
		left join (
			select u.id::uuid as id, u.eta, u.place
			from unnest($1::text[], $2::text[]) with ordinality as u (id, eta, place)
		) o on o.id = f.id
		where f.status = 'pending'
	) p
	where f.id = p.id and f.status = 'pending' and (
		f.queue_position is distinct from p.position
		or (f.eta_seconds is null) <> (p.eta is null)
		or abs(f.eta_seconds - p.eta) > 2 + f.eta_seconds / 4
	)
	returning f.user_id::text`;
