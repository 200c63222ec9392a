// BlobStore in a private bucket of Supabase Storage. Only the server reads and writes it, with the secret key.
//
// "There is no such blob" is believed only when the bucket itself could be seen: a wrong key would otherwise make
// every file look lost, and the sweeper would write that into its row.
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { messageOf, problem } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Scratch } from '../../scratch.ts';
import { checkKey, checkPrefix } from '../blob-key.ts';
import type { BlobInfo, BlobStore, ByteRange } from '../platform.ts';
import { createProjectHttp, type Project, type ProjectHttp, RefusedBySupabase } from './project-http.ts';
import { pieceBytes, sendInPieces } from './resumable.ts';
import { spool } from './spool.ts';
import { watch } from './watch.ts';

export const bucket = 'files';
const contentType = 'application/octet-stream';
const smallMs = 120_000;
const stallMs = 60_000;
const downloads = 3;
const pageSize = 1000;
const removedAtOnce = 100;

const Info = v.object({ size: v.number(), last_modified: v.string() });
const Page = v.object({
	objects: v.array(
		v.object({
			name: v.string(),
			updated_at: v.string(),
			metadata: v.nullable(v.object({ size: v.number() }))
		})
	),
	hasNext: v.boolean(),
	nextCursor: v.optional(v.string())
});

export type SupabaseBlobs = BlobStore & {
	/** For whoever has the address, without signing in, until it expires. */
	signedUrl(key: string, seconds: number): Promise<URL>;
};

export type SupabaseBlobsOptions = {
	supabase: Project;
	scratch: Pick<Scratch, 'use'>;
	log: Log;
	retryMs?: readonly number[];
	stallMs?: number;
};

export function createSupabaseBlobs(options: SupabaseBlobsOptions): SupabaseBlobs {
	const { scratch, log } = options;
	const http = createProjectHttp(options.supabase, options.retryMs);
	let seen: Promise<unknown> | undefined;

	/** Runs `ask`; undefined when the blob is not there, which the sight of the bucket makes certain. */
	async function find<T>(ask: () => Promise<T>): Promise<T | undefined> {
		try {
			return await ask();
		} catch (error) {
			if (!isMissing(error)) throw error;
			seen ??= http.json(`/storage/v1/bucket/${bucket}`, v.object({ id: v.literal(bucket) }));
			await seen.catch((cause: unknown) => {
				seen = undefined;
				throw problem('server.unavailable', { cause });
			});
			return undefined;
		}
	}

	async function get(key: string, range?: ByteRange): Promise<Readable> {
		const place = object(key);
		if (range && (range.start < 0 || range.start > range.end)) throw problem('file.range_invalid');
		const stream = await find(() => download(http, place, range, options.stallMs ?? stallMs));
		if (!stream) throw problem('file.variant_missing');
		return stream;
	}

	async function fetchTo(key: string, file: string): Promise<void> {
		for (let tried = 1; ; tried++) {
			const content = await get(key);
			try {
				return await pipeline(content, createWriteStream(file));
			} catch (error) {
				if (tried === downloads) throw problem('server.unavailable', { cause: error });
				log.warn({ tried }, `a file from Supabase Storage broke off: ${messageOf(error)}`);
			}
		}
	}

	return {
		get,
		async put(key, content) {
			const place = object(key);
			return scratch.use(async (folder) => {
				const spooled = await spool(content, folder, pieceBytes);
				try {
					if (spooled.bytes > pieceBytes) await sendInPieces(http, spooled, { bucket, key, contentType });
					else await sendWhole(http, place, await spooled.read(0, pieceBytes));
				} catch (error) {
					throw isTooLarge(error) ? problem('upload.too_large', { cause: error }) : error;
				} finally {
					await spooled.close();
				}
				return { bytes: spooled.bytes };
			});
		},
		async stat(key) {
			const place = `/storage/v1/object/info/${bucket}/${checkKey(key)}`;
			const info = await find(() => http.json(place, Info));
			return info && { key, bytes: info.size, modifiedAt: new Date(info.last_modified) };
		},
		async remove(keys) {
			keys.forEach(checkKey);
			for (let at = 0; at < keys.length; at += removedAtOnce) {
				await http.headers(`/storage/v1/object/${bucket}`, {
					method: 'DELETE',
					...json({ prefixes: keys.slice(at, at + removedAtOnce) })
				});
			}
		},
		list: (prefix) => list(http, checkPrefix(prefix)),
		async withLocalFile(key, fn) {
			checkKey(key);
			return scratch.use(async (folder) => {
				const file = path.join(folder, 'blob');
				await fetchTo(key, file);
				return fn(file);
			});
		},
		async signedUrl(key, seconds) {
			const place = `/storage/v1/object/sign/${bucket}/${checkKey(key)}`;
			const Signed = v.object({ signedURL: v.string() });
			const signed = await find(() =>
				http.json(place, Signed, { method: 'POST', ...json({ expiresIn: seconds }) })
			);
			if (!signed) throw problem('file.variant_missing');
			return new URL(`${http.base}/storage/v1${signed.signedURL}`);
		}
	};
}

function object(key: string): string {
	return `/storage/v1/object/${bucket}/${checkKey(key)}`;
}

function json(body: unknown): { headers: Record<string, string>; body: string } {
	return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function sendWhole(http: ProjectHttp, place: string, body: Buffer<ArrayBuffer>): Promise<void> {
	await http.headers(place, {
		method: 'POST',
		headers: { 'content-type': contentType, 'cache-control': 'max-age=0', 'x-upsert': 'true' },
		body,
		answerMs: smallMs
	});
}

async function download(
	http: ProjectHttp,
	place: string,
	range: ByteRange | undefined,
	patienceMs: number
): Promise<Readable> {
	// Unpacked on the way it would have another length than the one that is announced.
	const headers = {
		'accept-encoding': 'identity',
		...(range && { range: `bytes=${range.start}-${range.end}` })
	};
	try {
		return await http.send(place, { headers }, async (response, abort) => {
			if (range && response.status !== 206) throw new Error('Supabase Storage did not honour the range');
			return watch(response, abort, patienceMs);
		});
	} catch (error) {
		if (isOutside(error)) throw problem('file.range_invalid', { cause: error });
		throw error;
	}
}

async function* list(http: ProjectHttp, prefix: string): AsyncIterable<BlobInfo> {
	let cursor: string | undefined;
	do {
		const asked = json({ prefix, limit: pageSize, with_delimiter: false, ...(cursor && { cursor }) });
		const page = await http.json(`/storage/v1/object/list-v2/${bucket}`, Page, { method: 'POST', ...asked });
		for (const { name, updated_at, metadata } of page.objects) {
			yield { key: name, bytes: metadata?.size ?? 0, modifiedAt: new Date(updated_at) };
		}
		cursor = page.hasNext ? page.nextCursor : undefined;
	} while (cursor !== undefined);
}

/** The object, not the bucket: that one missing is a failure of the set-up. */
function isMissing(error: unknown): boolean {
	if (!(error instanceof RefusedBySupabase) || error.status !== 404) return false;
	return ['NoSuchKey', 'not_found'].some((reason) => error.reasons.includes(reason));
}

/** The project's own limit, which may be lower than MAX_FILE_BYTES. */
function isTooLarge(error: unknown): boolean {
	return error instanceof RefusedBySupabase && error.status === 413;
}

function isOutside(error: unknown): boolean {
	if (!(error instanceof RefusedBySupabase)) return false;
	return error.status === 416 || error.reasons.some((reason) => /^invalid_?range$/i.test(reason));
}
