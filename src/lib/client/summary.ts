// The list in one line, and the tab's title.
import { isTerminal } from '#lib/shared/files.ts';
import type { Row } from './rows.ts';
import { viewOf } from './row-view.ts';
import { count, size } from './words.ts';

export type Summary = { files: number; bytes: number; failed: number; moving: number; percent: number };

export function summaryOf(rows: readonly Row[]): Summary {
	const summary: Summary = { files: rows.length, bytes: 0, failed: 0, moving: 0, percent: 0 };
	for (const row of rows) {
		summary.bytes += row.file ? (row.file.compressed_bytes ?? 0) + row.file.size_bytes : 0;
		if (row.file?.status === 'failed') summary.failed += 1;
		const isMoving = row.file
			? !isTerminal(row.file.status)
			: !['failed', 'known', 'paused'].includes(row.upload.state);
		if (!isMoving) continue;
		summary.moving += 1;
		summary.percent += viewOf(row).percent;
	}
	if (summary.moving > 0) summary.percent = Math.floor(summary.percent / summary.moving);
	return summary;
}

export function summaryLine({ files, bytes }: Summary): string {
	return bytes > 0 ? `${count(files, 'file')}, ${size(bytes)} kept` : count(files, 'file');
}

export function titleOf({ moving }: Summary): string {
	return moving > 0 ? `${moving} in progress · Asura` : 'Asura';
}
