// What @tus/server asks of a store, for one person and one request: rows in the database, bytes in the folder of partial
// uploads. The row decides whose upload it is; the size of the file decides where it goes on.
import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import * as v from 'valibot';
import { AppError, problem } from '../errors.ts';
import type { Scope } from '../files/reach.ts';
import { toFilename } from './filename.ts';
import { folderOf, toFolder } from './folder.ts';
import { type Described, expiryMs, type OpenUpload, type OpenUploads } from './open-uploads.ts';
import type { Partials } from './partials.ts';
import { type AlsoTakes, detectType, sampleBytes } from './type.ts';

export type StoreDeps = {
	userId: string;
	uploads: OpenUploads;
	/** One that may still become a file. */
	find: (id: string) => Promise<OpenUpload>;
	/** Where the person may add files: a project, or without one the person's own. */
	reach: (project: string | undefined) => Promise<Scope>;
	partials: Partials;
	stallMs: number;
	alsoTakes: AlsoTakes | undefined;
};

const Metadata = v.object({
	filename: v.optional(v.nullable(v.string()), ''),
	/** The folder that the file was in. */
	path: v.optional(v.nullable(v.string())),
	sha256: v.optional(v.pipe(v.string(), v.toLowerCase(), v.regex(/^[0-9a-f]{64}$/))),
	/** The id of a project that it goes into. */
	project: v.optional(v.string())
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
		const { userId: addedBy, uploads, partials, reach } = this.#deps;
		if (!upload.size) throw problem('upload.empty');
		const { project, ...described } = describe(upload);
		const scope = await reach(project);
		await partials.create(upload.id, upload.size);
		try {
			await uploads.add({ ...described, id: upload.id, addedBy, scope, sizeBytes: upload.size });
		} catch (error) {
			await partials.remove(upload.id);
			throw error;
		}
		return upload;
	}

	override async getUpload(id: string): Promise<Upload> {
		const { find, partials } = this.#deps;
		const row = await find(id);
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
		const { find, uploads, partials, stallMs } = this.#deps;
		const row = await find(id);
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
		const { partials, alsoTakes } = this.#deps;
		const bytes = await partials.head(id, sampleBytes);
		return (await detectType({ bytes, isWhole: false, filename }, alsoTakes)) !== undefined;
	}
}

function describe({ metadata }: Upload): Described & { project: string | undefined } {
	const parsed = v.safeParse(Metadata, metadata ?? {});
	if (!parsed.success)
		throw problem('request.invalid', { message: 'Upload-Metadata: sha256 is 64 hex digits, project an id.' });
	const { filename, path, sha256, project } = parsed.output;
	const folder = path == null ? folderOf(filename ?? '') : toFolder(path);
	if (folder === undefined) throw problem('upload.bad_folder');
	return { filename: toFilename(filename ?? ''), folder, sha256: sha256 ?? null, project };
}

function metadataOf({ filename, folder, sha256, projectId }: OpenUpload): Record<string, string> {
	const more = { ...(sha256 && { sha256 }), ...(projectId && { project: projectId }) };
	return { filename, ...(folder && { path: folder }), ...more };
}
