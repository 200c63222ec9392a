// A row of public.files and the file that leaves the server. Database rows never go further than here.
import * as v from 'valibot';
import { StoredFile } from '#lib/shared/files.ts';

/** The columns of StoredFile, cast so that every driver returns the same JavaScript values. */
export const fileColumns = `
	f.id::text, f.filename, f.folder, f.file_type, f.size_bytes::float8 as size_bytes, f.status, round(f.progress::numeric, 1)::float8 as progress,
	f.processing_stage, f.activity, f.stage_progress, f.error_code, f.error_message, f.warnings, f.rev::float8 as rev, f.sha256,
	f.page_count, f.chunk_count, f.compressed_bytes::float8 as compressed_bytes, f.duplicate_of::text,
	f.queue_position, f.eta_seconds::float8 as eta_seconds,
	to_char(f.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
	to_char(f.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as updated_at`;

export function toStoredFile(row: Record<string, unknown>): StoredFile {
	return v.parse(StoredFile, row);
}
