// Several originals as one archive, made while it is sent: at any moment one file is open, and nothing of it is kept on
// disk or in memory. Whoever goes away in the middle ends it.
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { ZipFile } from 'yazl';
import { limits } from '#lib/shared/limits.ts';
import { problem } from '../errors.ts';
import type { BlobStore, Db } from '../platform/platform.ts';
import { findScopes } from './reach.ts';
import { createZipNames } from './zip-names.ts';

const Row = v.object({
	blob_id: v.string(),
	filename: v.string(),
	file_type: v.string(),
	size_bytes: v.number(),
	added_ms: v.number()
});
type Row = v.InferOutput<typeof Row>;

/** In the order of `ids`. Throws before the first byte when one is not there or all are too much. */
export async function zipFiles(
	db: Db,
	blobs: BlobStore,
	userId: string,
	ids: readonly string[]
): Promise<Readable> {
	const scopes = await findScopes(db, userId);
	const { rows } = await db.tx((tx) => tx.query(rowsSql, [ids, scopes]), { as: { userId } });
	const files = v.parse(v.array(Row), rows);
	if (files.length < ids.length) throw problem('file.not_found');
	if (files.reduce((sum, { size_bytes }) => sum + size_bytes, 0) > limits.maxZipBytes)
		throw problem('zip.too_large');
	for (const { blob_id } of files) if (!(await blobs.stat(`${blob_id}/original`))) throw problem('file.lost');
	return pack(blobs, files);
}

function pack(blobs: BlobStore, files: readonly Row[]): Readable {
	const zip = new ZipFile();
	// yazl's types name the old interface; it is a PassThrough.
	const output = zip.outputStream as Readable;
	const nameOf = createZipNames();
	let open: Readable | undefined;
	for (const { blob_id, filename, file_type, added_ms } of files) {
		const options = { compress: isLoose(file_type), mtime: new Date(added_ms), mode: 0o100644 };
		zip.addReadStreamLazy(nameOf(filename), options, (use) => {
			if (output.destroyed) return;
			blobs.get(`${blob_id}/original`).then(
				(content) => {
					open = content;
					if (output.destroyed) content.destroy();
					// A read that fails in the middle breaks the answer off: half an archive must not look whole.
					content.once('error', (error) => output.destroy(error));
					use(undefined, content);
				},
				(error: Error) => output.destroy(error)
			);
		});
	}
	zip.on('error', (error: Error) => output.destroy(error));
	output.once('close', () => open?.destroy());
	zip.end();
	return output;
}

/** Text gets smaller; the others are packed already. */
function isLoose(fileType: string): boolean {
	return /^text\/|json$|\/xml$|rfc822$|svg/.test(fileType);
}

const rowsSql = `
	select f.blob_id::text, f.filename, f.file_type, f.size_bytes::float8 as size_bytes,
		(extract(epoch from f.created_at) * 1000)::float8 as added_ms
	from unnest($1::text[]) with ordinality as wanted (id, place)
	join public.files f on f.id = wanted.id::uuid
	where f.scope_id = any($2::text[]::uuid[])
	order by wanted.place`;
