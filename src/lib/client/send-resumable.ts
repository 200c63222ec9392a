// Sends a file in pieces by tus: what has arrived is never sent again, whatever ends the attempt. When to try again is
// decided by Uploads, for every way of sending alike.
import type { StoredFile } from '#lib/shared/files.ts';
import { ApiError, offline } from './api.ts';
import { fingerprintOf, type UnfinishedUploads } from './unfinished.svelte.ts';
import { isGone, toApiError } from './upload-errors.ts';
import { ending, type Send } from './upload.ts';

/** Each is on the server's disk before the next is sent. */
const pieceBytes = 16 * 1024 * 1024;

export type ResumableOptions = {
	unfinished: UnfinishedUploads;
	fileOf: (id: string) => Promise<StoredFile>;
	/** That they go into; without it, the person's own files. */
	project?: string | undefined;
};

export function createSendResumable({ unfinished, fileOf, project }: ResumableOptions): Send {
	/** The same file chosen twice is two uploads. */
	const inUse = new Set<string>();

	return async (file, { signal, onSent, folder, sha256 }) => {
		const tus = await import('tus-js-client').catch((cause: unknown) => {
			throw new ApiError(offline, 0, cause);
		});
		signal.throwIfAborted();
		const print = fingerprintOf(file, folder);
		const begun = unfinished.find(print);
		// The server would let the newest of two senders go on, and they would take turns for ever.
		if (begun && (await unfinished.isSentElsewhere(begun.url)))
			throw new ApiError({ code: 'upload.busy', message: 'Another tab is sending this file' }, 423);
		signal.throwIfAborted();
		const { promise, resolve, reject } = Promise.withResolvers<string>();
		let path: string | undefined;
		const upload = new tus.Upload(file, {
			endpoint: '/api/uploads',
			uploadUrl: begun && !inUse.has(begun.url) ? begun.url : null,
			chunkSize: pieceBytes,
			retryDelays: null,
			storeFingerprintForResuming: false,
			metadata: {
				filename: file.name,
				...(folder && { path: folder }),
				...(sha256 && { sha256 }),
				...(project && { project })
			},
			onUploadUrlAvailable() {
				if (signal.reason === ending.cancelled) return end();
				path = new URL(upload.url ?? '', location.href).pathname;
				unfinished.put({ ...print, url: path, sentBytes: begun?.url === path ? begun.sentBytes : 0 });
				if (signal.aborted) return end();
				inUse.add(path);
				void unfinished.whileSending(path, promise);
			},
			onProgress: (sent) => onSent(sent),
			onChunkComplete: (_, sentBytes) => path && unfinished.put({ ...print, url: path, sentBytes }),
			onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader('Asura-File-Id') ?? ''),
			onError: (error) => reject(toApiError(error)),
			onAfterResponse(request, answer) {
				// Here it would begin anew and send all again: a server in trouble is asked later how much has arrived.
				if (request.getMethod() === 'HEAD' && (answer.getStatus() >= 500 || answer.getStatus() === 429))
					throw new ApiError(offline, 0);
			}
		});
		// Paused: what has arrived stays. Cancelled: it goes; if that fails, it expires.
		const end = () => void upload.abort(signal.reason === ending.cancelled).catch(() => undefined);
		const stop = () => {
			// One that is just being announced is ended when its address is known: the server may have it already.
			if (upload.url !== null) end();
			reject(signal.reason);
		};
		signal.addEventListener('abort', stop);
		try {
			upload.start();
			const stored = await fileOf(await promise);
			if (path) unfinished.remove(path);
			return stored;
		} catch (error) {
			const isOver = signal.reason === ending.cancelled || (error instanceof ApiError && isGone(error));
			if (path && isOver) unfinished.remove(path);
			throw error;
		} finally {
			if (path) inUse.delete(path);
			signal.removeEventListener('abort', stop);
		}
	};
}
