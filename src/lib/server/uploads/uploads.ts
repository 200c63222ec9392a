// Receiving files: multipart as a stream, one blob, row and job per part named `file`. A part that cannot be kept does
// not disturb the others. What arrived whole stays, even if the request breaks later; of what did not, nothing does.
//
// busboy waits for every part to be read to its end, so a refused part is drained, never destroyed; and a broken
// request destroys the part in hand with an error, which must have a listener by then.
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { UploadAnswer } from '#lib/shared/api.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import type { Config } from '../config.ts';
import { AppError, problem, toAppError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import type { NewFile } from '../files/insert.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { BlobStore } from '../platform/platform.ts';
import { toFilename } from './filename.ts';
import { Inspector, type Limit } from './inspector.ts';
import { readMultipart } from './multipart.ts';

export type UploadsDeps = {
	blobs: BlobStore;
	files: Pick<Files, 'add' | 'usedBytes'>;
	config: Pick<Config, 'maxFileBytes' | 'userQuotaBytes'>;
	metrics: Pick<Metrics, 'uploads' | 'uploadedBytes'>;
	log: Log;
	/** Longest time without a byte. */
	stallMs?: number;
};

export type Upload = { userId: string; body: Readable; contentType: string | null; signal: AbortSignal };
type Arrival = {
	userId: string;
	part: Readable;
	given: string | undefined;
	limit: Limit;
	turn: Promise<unknown> | undefined;
};
type Result = { file: StoredFile; cursor: string } | { filename: string; error: AppError };

/** Parts whose bytes or rows are being written, per request. */
const atOnce = 4;

export type Uploads = ReturnType<typeof createUploads>;

export function createUploads({ blobs, files, config, metrics, log, stallMs = 60_000 }: UploadsDeps) {
	async function receive({ userId, body, contentType, signal }: Upload): Promise<UploadAnswer> {
		// Until somebody reads it: an error that nobody hears would end the process.
		body.on('error', () => undefined);
		const limit = limitFor(await files.usedBytes(userId));
		const results: Promise<Result>[] = [];
		const broken = await readMultipart({
			body,
			contentType,
			signal,
			stallMs,
			onFile(part, given) {
				// busboy waits for this part to be read, so waiting for an earlier one bounds how many are open.
				const turn = results.at(-atOnce);
				results.push(keep({ userId, part, given, limit, turn }));
			},
			onTooMany: () => void results.push(Promise.resolve(refusal('', problem('upload.too_many_files'))))
		});
		return answer(await Promise.all(results), broken);
	}

	function limitFor(usedBytes: number): Limit {
		const left = Math.max(0, config.userQuotaBytes - usedBytes);
		if (left < config.maxFileBytes) return { bytes: left, code: 'upload.quota_exceeded' };
		return { bytes: config.maxFileBytes, code: 'upload.too_large' };
	}

	/** Never rejects: nobody may be listening yet when it does. */
	async function keep({ userId, part, given, limit, turn }: Arrival): Promise<Result> {
		const filename = toFilename(given);
		const inspector = connect(part, new Inspector(filename, limit));
		const blobId = randomUUID();
		const key = `${blobId}/original`;
		try {
			await turn;
			if (inspector.errored) throw inspector.errored;
			part.pipe(inspector);
			await blobs.put(key, inspector);
			const { file, isDuplicate, cursor } = await add({ userId, blobId, filename, inspector });
			metrics.uploads.inc({ outcome: isDuplicate ? 'duplicate' : 'kept' });
			metrics.uploadedBytes.inc(file.size_bytes);
			return { file, cursor };
		} catch (error) {
			// A form in which nothing was chosen sends a file without name and bytes.
			const isNothing = !given && toAppError(error).code === 'upload.empty';
			return refusal(filename, isNothing ? problem('upload.no_file') : error);
		}
	}

	/** The bytes are safe; if no row comes to point at them, they go. */
	async function add({
		inspector,
		...file
	}: Pick<NewFile, 'userId' | 'blobId' | 'filename'> & { inspector: Inspector }) {
		let isNeeded = false;
		try {
			const { sizeBytes, fileType } = inspector;
			const sha256 = inspector.sha256();
			const quotaBytes = config.userQuotaBytes;
			const added = await files.add({ ...file, sizeBytes, fileType, sha256, quotaBytes });
			isNeeded = !added.isDuplicate;
			return added;
		} finally {
			if (!isNeeded) await blobs.remove([`${file.blobId}/original`]);
		}
	}

	function refusal(filename: string, cause: unknown): Result {
		const error = toAppError(cause);
		if (error.status >= 500) log.error({ err: cause }, 'a file could not be kept');
		metrics.uploads.inc({ outcome: error.code });
		return { filename, error };
	}

	return { receive };
}

/** What the inspector does not take any more is read to its end and forgotten. */
function connect(part: Readable, inspector: Inspector): Inspector {
	part.on('error', (cause) => inspector.destroy(problem('upload.interrupted', { cause })));
	// Whoever reads it hears of its errors; this is for the time when nobody does.
	inspector.on('error', () => undefined);
	inspector.once('close', () => {
		part.unpipe(inspector);
		part.resume();
	});
	return inspector;
}

function answer(results: Result[], broken: AppError | undefined): UploadAnswer {
	const kept = results.filter((result) => 'file' in result);
	const refused = results.filter((result) => 'error' in result);
	const [first] = kept;
	if (!first) throw broken ?? refused[0]?.error ?? problem('upload.no_file');
	return {
		files: kept.map(({ file }) => file),
		errors: refused.map(({ filename, error: { code, message } }) => ({ filename, code, message })),
		// Following from the first one's cursor misses none of them.
		cursor: first.cursor
	};
}
