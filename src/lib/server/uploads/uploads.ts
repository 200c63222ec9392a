// Receiving files: multipart as a stream, one blob, row and job per part named `file`. A part that cannot be kept does
// not disturb the others. What arrived whole stays, even if the request breaks later; of what did not, nothing does.
//
// busboy waits for every part to be read to its end, so a refused part is drained, never destroyed; and a broken
// request destroys the part in hand with an error, which must have a listener by then.
import type { Readable } from 'node:stream';
import type { UploadAnswer } from '#lib/shared/api.ts';
import type { Config } from '../config.ts';
import { AppError, problem, toAppError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import type { NewFile } from '../files/insert.ts';
import type { Scope } from '../files/reach.ts';
import type { Log } from '../log.ts';
import { toFilename } from './filename.ts';
import { folderOf } from './folder.ts';
import type { Limit } from './inspector.ts';
import { createKeep, type Kept, type KeepDeps } from './keep.ts';
import { readMultipart } from './multipart.ts';

export type UploadsDeps = KeepDeps & {
	files: Pick<Files, 'usedBytes'>;
	config: Pick<Config, 'maxFileBytes'>;
	log: Log;
	/** Longest time without a byte. */
	stallMs?: number;
};

export type Upload = {
	userId: string;
	/** A project that the person may add to; the person's own files without it. */
	into?: Scope | undefined;
	body: Readable;
	contentType: string | null;
	signal: AbortSignal;
};
/** Whose storage it takes, and where it goes. */
type Place = Pick<NewFile, 'userId' | 'into'>;
type Arrival = Place & {
	part: Readable;
	given: string | undefined;
	limit: Limit;
	turn: Promise<unknown> | undefined;
};
type Result = Kept | { filename: string; error: AppError };

/** Parts whose bytes or rows are being written, per request. */
const atOnce = 4;

export type Uploads = ReturnType<typeof createUploads>;

export function createUploads({ log, stallMs = 60_000, ...deps }: UploadsDeps) {
	const { files, config, metrics } = deps;
	const keep = createKeep(deps);

	async function receive({ userId, into, body, contentType, signal }: Upload): Promise<UploadAnswer> {
		// Until somebody reads it: an error that nobody hears would end the process.
		body.on('error', () => undefined);
		const place: Place = into
			? { userId: into.ownerId, into: { projectId: into.id, addedBy: userId } }
			: { userId };
		const limit = limitFor(await files.usedBytes(place.userId));
		const results: Promise<Result>[] = [];
		const broken = await readMultipart({
			body,
			contentType,
			signal,
			stallMs,
			onFile(part, given) {
				// busboy waits for this part to be read, so waiting for an earlier one bounds how many are open.
				const turn = results.at(-atOnce);
				results.push(take({ ...place, part, given, limit, turn }));
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
	async function take({ part, given, ...arrival }: Arrival): Promise<Result> {
		const filename = toFilename(given);
		try {
			return await keep({ ...arrival, content: part, filename, folder: folderOf(given) });
		} catch (error) {
			// A form in which nothing was chosen sends a file without name and bytes.
			const isNothing = !given && toAppError(error).code === 'upload.empty';
			return refusal(filename, isNothing ? problem('upload.no_file') : error);
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
