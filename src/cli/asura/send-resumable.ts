// Sends a large file in pieces by tus: what has arrived is never sent again. After a broken line it goes on by itself;
// after Ctrl C the same command does, in another process (begun.ts).
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { DetailedError, Upload } from 'tus-js-client';
import { ApiError, createApi, offline } from '#lib/client/api.ts';
import { backoffMs } from '#lib/client/backoff.ts';
import { type Connection, connect } from '#lib/client/connect.ts';
import { isGone, isPassing, toApiError } from '#lib/client/upload-errors.ts';
import type { Begun, Place } from './begun.ts';
import { Changed, patienceMs, type Send, type Source } from './send.ts';

/** Each is on the server's disk before the next is sent, and in our memory once. */
const pieceBytes = 8 * 1024 * 1024;
/** A line on which nothing moves is broken, even if nobody says so. */
const quietMs = 60_000;

type File = { place: string; size: number; folder: string; name: string; sha256: () => Promise<string> };
type Attempt = {
	file: File;
	server: Connection;
	project: string | undefined;
	place: Place;
	/** Of the upload on the server. */
	at: string | undefined;
	signal: AbortSignal;
	onBegun: (path: string) => void;
	onSent: (bytes: number) => void;
};

/** To the person's own files or into a project. */
export function createSendResumable(begun: Begun, project?: string): Send {
	return async (source, server, { signal, onSent, onStalled, isKnownServer }) => {
		const { file, modified } = await fileOf(source, signal);
		const { place: where, folder, size } = file;
		const place = begun.placeOf({ server: server.url, project, place: where, folder, size, modified });
		const api = createApi(connect(server));
		let at = place.begun;
		let most = 0;
		let movedAt = Date.now();
		let attempts = 0;
		let isBegunAnew = false;
		const attempt = async () => {
			const id = await sendOnce({
				file,
				server,
				project,
				place,
				at,
				signal,
				onBegun: (path) => void (at = path),
				onSent: (bytes) => {
					if (bytes <= most) return;
					most = bytes;
					movedAt = Date.now();
					attempts = 0;
					onSent(most);
				}
			});
			return api.get(id);
		};
		try {
			for (;;) {
				try {
					const stored = await attempt();
					place.forget();
					return stored;
				} catch (error) {
					if (signal.aborted || !(error instanceof ApiError)) throw error;
					if (isGone(error)) place.forget();
					// Expired, or begun by somebody else with another key.
					if (at !== undefined && error.code === 'upload.not_found' && !isBegunAnew) {
						isBegunAnew = true;
						at = undefined;
						continue;
					}
					const isHopeless = at === undefined && !isKnownServer?.();
					if (isHopeless || !isPassing(error) || Date.now() - movedAt > patienceMs) throw error;
					onStalled?.();
					await pause(backoffMs(attempts++, Math.random()), undefined, { signal });
				}
			}
		} finally {
			place.close();
		}
	};
}

/** Until it is whole, or something ends it; the id of the file that it has become. */
async function sendOnce(attempt: Attempt): Promise<string> {
	const { file, server, project, place, at, signal, onBegun, onSent } = attempt;
	const { name, folder, size } = file;
	const metadata = { filename: name, ...(folder && { path: folder }), ...(project && { project }) };
	const { promise, resolve, reject } = Promise.withResolvers<string>();
	let timer: NodeJS.Timeout | undefined;
	const watch = (sent: number) => {
		clearTimeout(timer);
		// With the last byte the server makes a file of it, which takes as long as it takes.
		if (sent < size) timer = setTimeout(() => stop(new ApiError(offline, 0)), quietMs);
	};
	const keep = () => {
		const { pathname } = new URL(upload.url ?? '', server.url);
		place.put(pathname);
		onBegun(pathname);
	};
	const upload: Upload = new Upload(Buffer.alloc(0), {
		fileReader: { openFile: () => Promise.resolve(readerOf(file)) },
		// One that is known must not be begun anew while a proxy says that the server restarts.
		...(at === undefined
			? {
					endpoint: new URL('/api/uploads', server.url).href,
					metadata: { ...metadata, sha256: await file.sha256() }
				}
			: { uploadUrl: new URL(at, server.url).href }),
		uploadSize: size,
		chunkSize: pieceBytes,
		retryDelays: null,
		storeFingerprintForResuming: false,
		headers: { authorization: `Bearer ${server.key}` },
		onUploadUrlAvailable: keep,
		onChunkComplete: keep,
		onProgress(sent) {
			watch(sent);
			onSent(sent);
		},
		onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader('Asura-File-Id') ?? ''),
		onError: (error) => reject(reasonOf(error))
	});
	const stop = (reason: unknown) => {
		void upload.abort().catch(() => undefined);
		reject(reason);
	};
	const interrupt = () => stop(signal.reason);
	signal.addEventListener('abort', interrupt);
	try {
		signal.throwIfAborted();
		upload.start();
		watch(0);
		return await promise;
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', interrupt);
	}
}

async function fileOf(source: Source, signal: AbortSignal): Promise<{ file: File; modified: number }> {
	const { place, name, folder } = source;
	if (place === undefined) throw new Error(`${name} has no place on the disk.`);
	const { size, mtimeMs } = await stat(place);
	let sum: string | undefined;
	const sha256 = async () => {
		if (sum !== undefined) return sum;
		const hash = createHash('sha256');
		await pipeline(createReadStream(place, { highWaterMark: 1024 * 1024 }), hash, { signal });
		return (sum = hash.digest('hex'));
	};
	return { file: { place, name, folder, size, sha256 }, modified: mtimeMs };
}

/** Pieces as bytes: what cannot be read is told where the piece is asked for. */
function readerOf({ place, name, size }: File) {
	return {
		size,
		close: () => undefined,
		async slice(start: number, end: number) {
			const length = Math.min(end, size) - start;
			const handle = await open(place);
			try {
				const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, start);
				if (bytesRead < length) throw new Changed(name);
				// It looks for `size`, as blobs have it.
				return { value: Object.assign(buffer, { size: length }), done: end >= size };
			} finally {
				await handle.close();
			}
		}
	};
}

/** Only what the network says of itself is a broken line; what could not be read from the disk is told as it is. */
function reasonOf(error: Error | DetailedError): unknown {
	if (!(error instanceof DetailedError) || error.originalResponse) return toApiError(error);
	const { causingError: cause } = error;
	return !cause || ('code' in cause && !('path' in cause)) ? toApiError(error) : cause;
}
