// One row per file from its first byte on: what this page is sending and what the server has, as one list.
import type { StoredFile } from '#lib/shared/files.ts';
import type { Place, Upload } from './uploads.svelte.ts';

export type Row = { key: string; place: Place } & (
	{ upload: Upload; file: undefined } | { upload: undefined; file: StoredFile }
);

type Sources = {
	uploads: readonly Upload[];
	underWay: readonly Upload[];
	files: readonly StoredFile[];
	placed: ReadonlyMap<string, { key: string; place: Place }>;
	isHidden: (id: string) => boolean;
};

/** Newest first; files chosen together keep their order. */
export function rowsOf({ uploads, underWay, files, placed, isHidden }: Sources): Row[] {
	const open = new Map<string, Upload>(uploads.map((upload) => [upload.key, upload]));
	const unanswered = [...underWay];
	const rows = files
		.filter(({ id }) => !isHidden(id))
		.map((file): Row => {
			const known = placed.get(file.id) ?? takeEarly(file, unanswered);
			if (!known)
				return {
					key: file.id,
					place: { batchAt: Date.parse(file.created_at), index: 0 },
					upload: undefined,
					file
				};
			open.delete(known.key);
			return { key: known.key, place: known.place, upload: undefined, file };
		});
	for (const upload of open.values())
		rows.push({ key: upload.key, place: upload.place, upload, file: undefined });
	return rows.sort((a, b) => b.place.batchAt - a.place.batchAt || a.place.index - b.place.index);
}

// The stream may announce a file before its upload is answered, or even before the browser tells that all bytes have
// left. Until then name and size tell that they are one; both times compared are the server's.
function takeEarly(file: StoredFile, unanswered: Upload[]): Upload | undefined {
	const at = unanswered.findIndex(
		(upload) =>
			upload.file.name === file.filename &&
			upload.file.size === file.size_bytes &&
			upload.folder === file.folder &&
			file.created_at > upload.addedAfter
	);
	// Taken: a second file of that name, from another tab, is a row of its own.
	return at < 0 ? undefined : unanswered.splice(at, 1)[0];
}
