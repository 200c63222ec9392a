// Uploads that are too large for one request, by the tus protocol as Supabase Storage speaks it: pieces of exactly
// 6 MB, the last one shorter. The object appears when its last byte has arrived, and not before.
//
// The length must be known at the beginning: Storage never finishes an upload with a deferred one (supabase #22179).
import { problem } from '../../errors.ts';
import { type ProjectHttp, RefusedBySupabase } from './project-http.ts';
import type { Spooled } from './spool.ts';

export const pieceBytes = 6 * 1024 * 1024;
const pieceMs = 120_000;
const maxBeginnings = 3;
/** The upload is not there any more: expired, or its last answer was lost and it is finished. */
const gone = [403, 404, 410];

const tus = { 'tus-resumable': '1.0.0' };

export type Target = { bucket: string; key: string; contentType: string };

export async function sendInPieces(http: ProjectHttp, content: Spooled, target: Target): Promise<void> {
	for (let begun = 0; begun < maxBeginnings; begun++) {
		if (await sendOnce(http, content, await begin(http, content.bytes, target))) return;
	}
	throw problem('server.unavailable', { cause: new Error(`an upload was lost ${maxBeginnings} times`) });
}

/** The path of the new upload. */
async function begin(
	http: ProjectHttp,
	bytes: number,
	{ bucket, key, contentType }: Target
): Promise<string> {
	const metadata = { bucketName: bucket, objectName: key, contentType, cacheControl: '0' };
	const headers = await http.headers('/storage/v1/upload/resumable', {
		method: 'POST',
		headers: {
			...tus,
			'upload-length': String(bytes),
			'upload-metadata': encode(metadata),
			'x-upsert': 'true'
		}
	});
	const location = headers.get('location');
	if (!location) throw new Error('Supabase Storage began an upload without saying where');
	// Only its path: behind a proxy the host is the one that Storage believes to have.
	return new URL(location, http.base).pathname;
}

/** Whether all of it has arrived; false: it must be begun again. */
async function sendOnce(http: ProjectHttp, content: Spooled, path: string): Promise<boolean> {
	let offset = 0;
	while (offset < content.bytes) {
		try {
			offset = await sendPiece(http, content, path, offset);
		} catch (error) {
			if (!(error instanceof RefusedBySupabase)) throw error;
			if (gone.includes(error.status)) return false;
			// The answer to an earlier try was lost: the bytes may be there already.
			if (error.status !== 409) throw error;
			const known = await askOffset(http, path);
			// All of it, and yet no answer that said so: it is not known whether the object was made of it.
			if (known <= offset || known === content.bytes) return false;
			offset = known;
		}
	}
	return true;
}

async function sendPiece(http: ProjectHttp, content: Spooled, path: string, offset: number): Promise<number> {
	const headers = await http.headers(path, {
		method: 'PATCH',
		headers: {
			...tus,
			'upload-offset': String(offset),
			'content-type': 'application/offset+octet-stream',
			'x-upsert': 'true'
		},
		body: await content.read(offset, pieceBytes),
		answerMs: pieceMs
	});
	return readOffset(headers);
}

async function askOffset(http: ProjectHttp, path: string): Promise<number> {
	return readOffset(await http.headers(path, { method: 'HEAD', headers: tus }));
}

function readOffset(headers: Headers): number {
	const offset = Number(headers.get('upload-offset') ?? Number.NaN);
	if (!Number.isSafeInteger(offset)) throw new Error('Supabase Storage did not say how much has arrived');
	return offset;
}

function encode(metadata: Record<string, string>): string {
	return Object.entries(metadata)
		.map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
		.join(',');
}
