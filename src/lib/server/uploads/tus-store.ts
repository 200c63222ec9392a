// What @tus/server asks of a store, for one person and one request: rows in the database, bytes in the folder of partial
// uploads. The row decides whose upload it is; the size of the file decides where it goes on.
import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import * as v from 'valibot';
import { AppError, problem } from '../errors.ts';
import { toFilename } from './filename.ts';
import { folderOf, toFolder } from './folder.ts';
import { expiryMs, type OpenUpload, type OpenUploads } from './open-uploads.ts';
import type { Partials } from './partials.ts';
import { detectType, sampleBytes } from './type.ts';

export type StoreDeps = {
	userId: string;
	uploads: OpenUploads;
	partials: Partials;
	stallMs: number;
};

const Metadata = v.object({
	filename: v.optional(v.nullable(v.string()), ''),
	/** The folder that the file was in. */
	path: v.optional(v.nullable(v.string())),
	sha256: v.optional(v.pipe(v.string(), v.toLowerCase(), v.regex(/^[0-9a-f]{64}$/)))
});

export class TusStore extends DataStore {
	override extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];
	readonly #deps: StoreDeps;

	constructor(deps: StoreDeps) {
		super();
		this.#deps = deps;
	}

	override getExpiration(): number {
		return expiryMs;
	}

	override async create(upload: Upload): Promise<Upload> {
		const { userId, uploads, partials } = this.#deps;
		if (!upload.size) throw problem('upload.empty');
		const described = describe(upload);
		await partials.create(upload.id, upload.size);
		try {
			await uploads.add({ ...described, id: upload.id, userId, sizeBytes: upload.size });
		} catch (error) {
			await partials.remove(upload.id);
			throw error;
		}
		return upload;
	}

	override async getUpload(id: string): Promise<Upload> {
		const { userId, uploads, partials } = this.#deps;
		const row = await uploads.get(userId, id);
		const offset = row.fileId === null ? await partials.size(id) : row.sizeBytes;
		// A restored database may know uploads whose bytes were not in the backup.
		if (offset === undefined) throw problem('upload.not_found');
		return new Upload({
			id,
			size: row.sizeBytes,
			offset,
			metadata: metadataOf(row),
			creation_date: row.touchedAt
		});
	}

	override async write(content: Readable, id: string, offset: number): Promise<number> {
		const { userId, uploads, partials, stallMs } = this.#deps;
		const row = await uploads.get(userId, id);
		// A file that is whole needs no more; what comes is checked to be nothing.
		if (row.fileId !== null) return offset;
		await uploads.touch(id);
		let before = offset;
		try {
			return await partials.append(id, {
				from: offset,
				content,
				stallMs,
				onGrown: async (bytes) => {
					const isSample = before < sampleBytes && bytes >= sampleBytes;
					before = bytes;
					if (isSample && !(await this.#isReadable(row))) throw problem('file.unsupported_type');
				}
			});
		} catch (error) {
			if (error instanceof AppError && error.code === 'file.unsupported_type') await this.remove(id);
			throw error;
		} finally {
			await uploads.touch(id);
		}
	}

	override async remove(id: string): Promise<void> {
		const { userId, uploads, partials } = this.#deps;
		await uploads.get(userId, id);
		await uploads.remove(userId, id);
		await partials.remove(id);
	}

	async #isReadable({ id, filename }: OpenUpload): Promise<boolean> {
		const bytes = await this.#deps.partials.head(id, sampleBytes);
		return (await detectType({ bytes, isWhole: false, filename })) !== undefined;
	}
}

function describe({ metadata }: Upload): Pick<OpenUpload, 'filename' | 'folder' | 'sha256'> {
	const parsed = v.safeParse(Metadata, metadata ?? {});
	if (!parsed.success)
		throw problem('request.invalid', { message: 'Upload-Metadata: sha256 is 64 hex digits.' });
	const { filename, path, sha256 } = parsed.output;
	const folder = path == null ? folderOf(filename ?? '') : toFolder(path);
	if (folder === undefined) throw problem('upload.bad_folder');
	return { filename: toFilename(filename ?? ''), folder, sha256: sha256 ?? null };
}

function metadataOf({ filename, folder, sha256 }: OpenUpload): Record<string, string> {
	return { filename, ...(folder && { path: folder }), ...(sha256 && { sha256 }) };
}
