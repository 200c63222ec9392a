// A file as the server tells it, for tests of what is made from it.
import type { StoredFile } from '#lib/shared/files.ts';

export function aFile(changes: Partial<StoredFile> = {}): StoredFile {
	return {
		id: '00000000-0000-4000-8000-000000000001',
		filename: 'report.pdf',
		folder: '',
		file_type: 'application/pdf',
		size_bytes: 12_400_000,
		status: 'processing',
		progress: 40,
		processing_stage: 'extraction',
		activity: null,
		stage_progress: {},
		error_code: null,
		error_message: null,
		warnings: [],
		rev: 1,
		sha256: 'a'.repeat(64),
		page_count: null,
		chunk_count: null,
		compressed_bytes: null,
		duplicate_of: null,
		queue_position: null,
		eta_seconds: null,
		created_at: '2026-11-20T10:00:00.000Z',
		updated_at: '2026-11-20T10:00:00.000Z',
		...changes
	};
}
