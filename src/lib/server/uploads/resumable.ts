// Uploads in several requests: tus 1.0 at /api/uploads, by @tus/server. A server object per request is cheap and makes
// it impossible to forget whose upload it is; only the locks are shared.
//
//     POST → row (the announced bytes count for the quota) · PATCH, any number → bytes · after the last byte: the same way
//     as every other file (keep.ts). The upload's row and the file's row change in one transaction, so asking again for
//     the end, after a crash or a lost answer, finishes it or tells of the same file.
import { randomUUID } from 'node:crypto';
import { ERRORS, MemoryLocker, Server } from '@tus/server';
import type { Config } from '../config.ts';
import { type AppError, problem, toAppError } from '../errors.ts';
import { ownScope, type Scope } from '../files/reach.ts';
import type { Log } from '../log.ts';
import type { Db } from '../platform/platform.ts';
import { createKeep, type KeepDeps } from './keep.ts';
import { createOpenUploads, type OpenUpload } from './open-uploads.ts';
import { createPartials } from './partials.ts';
import { TusStore } from './tus-store.ts';

export type ResumableDeps = KeepDeps & {
	/** Where partial bytes lie; processes that share the database share it too. */
	folder: string;
	db: Db;
	config: Pick<Config, 'maxFileBytes' | 'userQuotaBytes'>;
	log: Log;
	/** Throws unless the person may add to the project. */
	reachProject: (userId: string, projectId: string) => Promise<Scope>;
	/** Longest time without a byte. */
	stallMs?: number;
};

const path = '/api/uploads';
const fileIdHeader = 'asura-file-id';
const tusHeaders = { 'tus-resumable': '1.0.0' };
/** A file without a row may be one that is just being made. */
const minAgeMs = 600_000;

export type Resumable = ReturnType<typeof createResumable>;

export function createResumable({ folder, db, log, reachProject, stallMs = 60_000, ...deps }: ResumableDeps) {
	const { config, metrics, alsoTakes } = deps;
	const keep = createKeep(deps);
	const partials = createPartials(folder, deps.room);
	const uploads = createOpenUploads(db, { quotaBytes: config.userQuotaBytes });
	const locker = new MemoryLocker();
	const finishing = new Map<string, Promise<string>>();

	/** The id of the file that the whole upload has become. Asked twice at once, it is done once. */
	function finish(userId: string, id: string): Promise<string> {
		const running = finishing.get(id) ?? turnIntoFile(userId, id).finally(() => finishing.delete(id));
		finishing.set(id, running);
		return running;
	}

	async function turnIntoFile(userId: string, id: string): Promise<string> {
		const { fileId, filename, folder, sizeBytes, sha256, projectId } = await find(userId, id);
		if (fileId !== null) return fileId;
		try {
			const limit = { bytes: sizeBytes, code: 'upload.too_large' as const };
			const content = await partials.read(id);
			const into = projectId === null ? undefined : { projectId, addedBy: userId };
			const described = { uploadId: id, filename, folder, sha256: sha256 ?? undefined };
			const { file } = await keep({ userId, into, ...described, content, limit });
			await partials.remove(id);
			return file.id;
		} catch (error) {
			// Refused for good; what only went wrong here may go better the next time.
			const { status, code } = toAppError(error);
			if (status < 500 && code !== 'upload.interrupted') await forget(userId, id);
			throw error;
		}
	}

	/** One whose sender may not add to its project any more goes at once. */
	async function find(userId: string, id: string): Promise<OpenUpload> {
		const upload = await uploads.get(userId, id);
		if (upload.refusal === null) return upload;
		await forget(userId, id);
		throw problem(upload.refusal);
	}

	async function forget(userId: string, id: string): Promise<void> {
		await uploads.remove(userId, id);
		await partials.remove(id);
	}

	async function answer(userId: string, request: Request): Promise<Response> {
		const version = request.headers.get('tus-resumable');
		if (request.method !== 'OPTIONS' && version !== '1.0.0') throw problem('upload.wrong_protocol');
		let failure: unknown;
		const tus = new Server({
			path,
			datastore: new TusStore({
				userId,
				uploads,
				find: (id) => find(userId, id),
				reach: async (project) => (project === undefined ? ownScope(userId) : reachProject(userId, project)),
				partials,
				stallMs,
				alsoTakes
			}),
			locker,
			maxSize: config.maxFileBytes,
			relativeLocation: true,
			allowedOrigins: [],
			namingFunction: () => randomUUID(),
			onUploadFinish: async (_, { id }) => ({ headers: { [fileIdHeader]: await finish(userId, id) } }),
			onResponseError: (_, error) => void (failure = error)
		});
		const given = await tus.handleWeb(request);
		if (failure !== undefined) throw toProblem(failure);
		if (given.status >= 400) throw ofStatus(given.status);
		return request.method === 'HEAD' ? withFileId(userId, request, given) : given;
	}

	/** Whoever finds that every byte has arrived is told of the file, which may still have to be made. */
	async function withFileId(userId: string, request: Request, given: Response): Promise<Response> {
		const { headers } = given;
		if (headers.get('upload-offset') === headers.get('upload-length')) {
			const id = new URL(request.url).pathname.split('/').at(-1) ?? '';
			headers.set(fileIdHeader, await finish(userId, id));
		}
		return given;
	}

	return {
		async handle(userId: string, request: Request): Promise<Response> {
			try {
				return await answer(userId, request);
			} catch (thrown) {
				const error = toAppError(thrown);
				if (error.status >= 500) log.error({ err: thrown }, 'an upload could not be kept');
				if (request.method !== 'HEAD') metrics.uploads.inc({ outcome: error.code });
				throw told(error);
			}
		},

		async forgetAll(userId: string): Promise<void> {
			for (const id of await uploads.removeAll(userId)) await partials.remove(id);
		},

		/** The number of uploads that nobody continued in time. */
		async removeExpired(): Promise<number> {
			const removed = await uploads.removeExpired();
			const ids = await partials.idle(minAgeMs);
			for (const id of await uploads.unknown(ids)) await partials.remove(id);
			return removed;
		}
	};
}

/** An answer to HEAD has no body, so the code stands in a header as well. */
function told(error: AppError): AppError {
	const { code, message, details } = error;
	return problem(code, {
		message,
		cause: error,
		headers: { ...error.headers, ...tusHeaders, 'asura-error': code },
		...(details && { details })
	});
}

/** What @tus/server throws is an object with a status and words that are not ours. */
function toProblem(failure: unknown): unknown {
	if (failure === ERRORS.ABORTED || isAbort(failure)) return problem('upload.interrupted');
	if (failure === ERRORS.ERR_LOCK_TIMEOUT) return problem('upload.busy');
	const isTheirs = typeof failure === 'object' && failure !== null && 'status_code' in failure;
	return isTheirs ? ofStatus(Number(failure.status_code)) : failure;
}

function isAbort(failure: unknown): boolean {
	return failure instanceof Error && failure.name === 'AbortError';
}

function ofStatus(status: number): AppError {
	if (status === 404 || status === 410) return problem('upload.not_found');
	if (status === 409) return problem('upload.offset_conflict');
	if (status === 413) return problem('upload.too_large');
	if (status === 501)
		return problem('request.invalid', { message: 'No such extension of tus is spoken here.' });
	return problem(status >= 500 ? 'server.unexpected' : 'request.invalid');
}
