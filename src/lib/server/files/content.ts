// The bytes of a file as HTTP knows them: variants, ranges, validators. What people upload is never shown as a page of
// this origin: it is a download, or one of a few harmless types inline, and always in a sandbox.
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import type { Variant } from '#lib/shared/api.ts';
import { problem } from '../errors.ts';
import type { BlobStore, ByteRange, Db } from '../platform/platform.ts';
import { isFresh, isSameVersion, parseRange } from './range.ts';
import { reachFile } from './reach.ts';
import { dispositionOf, inlineTypeOf, nameOfVariant } from './served-as.ts';

export type ContentRequest = {
	userId: string;
	id: string;
	variant: Variant;
	isInline: boolean;
	headers: { get(name: string): string | null };
};

export type Content = {
	status: 200 | 206 | 304;
	headers: Record<string, string>;
	/** Not opened before it is asked for; `undefined` when there is nothing to send. */
	open: (() => Promise<Readable>) | undefined;
};

export async function openContent(db: Db, blobs: BlobStore, request: ContentRequest): Promise<Content> {
	const { isInline, headers } = request;
	const { key, variant, type, bytes, etag, filename } = await findVariant(db, request);
	const shown = isInline ? inlineTypeOf(type) : undefined;
	// The text is ours, so it is known how it is written.
	const asIs = (variant === 'text' ? inlineTypeOf(type) : undefined) ?? type;
	const common = {
		etag,
		'accept-ranges': 'bytes',
		// The bytes under an id never change; what is made of them can, after a retry.
		'cache-control': variant === 'original' ? 'private, max-age=86400, immutable' : 'private, max-age=60',
		vary: 'Cookie',
		'content-security-policy': "sandbox; default-src 'none'",
		'x-content-type-options': 'nosniff'
	};
	if (isFresh(headers.get('if-none-match'), etag)) return { status: 304, headers: common, open: undefined };

	const body = {
		...common,
		'content-type': shown ?? asIs,
		'content-disposition': dispositionOf(
			shown ? 'inline' : 'attachment',
			nameOfVariant(filename, variant, type)
		)
	};
	const range = rangeOf(headers, etag, bytes);
	if (!range) {
		return { status: 200, headers: { ...body, 'content-length': String(bytes) }, open: () => blobs.get(key) };
	}
	return {
		status: 206,
		headers: {
			...body,
			'content-length': String(range.end - range.start + 1),
			'content-range': `bytes ${range.start}-${range.end}/${bytes}`
		},
		open: () => blobs.get(key, range)
	};
}

function rangeOf(headers: ContentRequest['headers'], etag: string, bytes: number): ByteRange | undefined {
	const ifRange = headers.get('if-range');
	if (ifRange !== null && !isSameVersion(ifRange, etag)) return undefined;
	const range = parseRange(headers.get('range'), bytes);
	if (range === 'unsatisfiable') {
		throw problem('file.range_invalid', { headers: { 'content-range': `bytes */${bytes}` } });
	}
	return range;
}

const Row = v.object({
	blob_id: v.string(),
	filename: v.string(),
	status: v.string(),
	file_type: v.string(),
	size_bytes: v.number(),
	sha256: v.string(),
	variants: v.record(v.string(), v.object({ type: v.string(), bytes: v.number() }))
});

/** Of a file that could not be made smaller, the original is the smaller of both, and so the compressed one. */
async function findVariant(db: Db, { userId, id, variant: asked }: ContentRequest) {
	const { id: scopeId } = await reachFile(db, userId, id);
	const { rows } = await db.tx((tx) => tx.query(rowSql, [id, scopeId]), { as: { userId } });
	if (!rows[0]) throw problem('file.not_found');
	const { blob_id, filename, status, file_type, size_bytes, sha256, variants } = v.parse(Row, rows[0]);
	const isSmallest = asked === 'compressed' && status === 'completed' && !variants.compressed;
	const variant = isSmallest ? 'original' : asked;
	const original = { type: file_type, bytes: size_bytes };
	const found = variant === 'original' ? original : variants[variant];
	if (!found) throw problem('file.variant_missing');
	const etag = variant === 'original' ? `"${sha256}"` : `"${sha256}-${variant}-${found.bytes}"`;
	return { ...found, variant, key: `${blob_id}/${variant}`, etag, filename };
}

const rowSql = `
	select f.blob_id::text, f.filename, f.status, f.file_type, f.size_bytes::float8 as size_bytes, f.sha256, f.variants
	from public.files f where f.id = $1 and f.scope_id = $2`;
