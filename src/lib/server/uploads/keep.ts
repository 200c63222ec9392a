// The one way from arriving bytes to a file, whichever way they arrive: blob first, then row and job in one transaction.
// If no row comes to point at the bytes, they go.
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { StoredFile } from '#lib/shared/files.ts';
import type { Config } from '../config.ts';
import { problem } from '../errors.ts';
import type { Files } from '../files/files.ts';
import type { NewFile } from '../files/insert.ts';
import type { Metrics } from '../metrics.ts';
import type { BlobStore } from '../platform/platform.ts';
import type { Room } from '../room.ts';
import { Inspector, type Limit } from './inspector.ts';
import type { AlsoTakes } from './type.ts';

export type KeepDeps = {
	blobs: BlobStore;
	files: Pick<Files, 'add'>;
	config: Pick<Config, 'userQuotaBytes'>;
	metrics: Pick<Metrics, 'uploads' | 'uploadedBytes'>;
	room: Room;
	alsoTakes?: AlsoTakes | undefined;
};

export type Arriving = Pick<NewFile, 'userId' | 'into' | 'filename' | 'folder' | 'uploadId'> & {
	content: Readable;
	limit: Limit;
	/** What its sender says that the whole file's hash is. */
	sha256?: string | undefined;
	/** The bytes are not touched before. */
	turn?: Promise<unknown> | undefined;
};

export type Kept = { file: StoredFile; cursor: string };

export type Keep = ReturnType<typeof createKeep>;

export function createKeep({ blobs, files, config, metrics, room, alsoTakes }: KeepDeps) {
	return async function keep({ content, limit, sha256, turn, ...file }: Arriving): Promise<Kept> {
		// Before anything is waited for: the content may break at once.
		const inspector = connect(content, new Inspector(file.filename, limit, room.watch(), alsoTakes));
		const blobId = randomUUID();
		const key = `${blobId}/original`;
		let isNeeded = false;
		try {
			await turn;
			if (inspector.errored) throw inspector.errored;
			content.pipe(inspector);
			await blobs.put(key, inspector);
			const { sizeBytes, fileType } = inspector;
			const found = inspector.sha256();
			if (sha256 !== undefined && sha256 !== found) throw problem('upload.corrupted');
			const quotaBytes = config.userQuotaBytes;
			const added = await files.add({ ...file, blobId, sizeBytes, fileType, sha256: found, quotaBytes });
			isNeeded = !added.isDuplicate;
			metrics.uploads.inc({ outcome: added.isDuplicate ? 'duplicate' : 'kept' });
			metrics.uploadedBytes.inc(added.file.size_bytes);
			return { file: added.file, cursor: added.cursor };
		} finally {
			if (!isNeeded) await blobs.remove([key]);
		}
	};
}

/** What the inspector does not take any more is read to its end and forgotten. */
function connect(content: Readable, inspector: Inspector): Inspector {
	content.on('error', (cause) => inspector.destroy(problem('upload.interrupted', { cause })));
	// Whoever reads it hears of its errors; this is for the time when nobody does.
	inspector.on('error', () => undefined);
	inspector.once('close', () => {
		content.unpipe(inspector);
		content.resume();
	});
	return inspector;
}
