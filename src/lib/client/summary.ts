// The list in one line, and the tab's title.
import { isTerminal } from '#lib/shared/files.ts';
import { isWorthRetrying } from './actions.ts';
import type { Row } from './rows.ts';
import { percentOf } from './row-view.ts';
import { count, size } from './words.ts';

export type Summary = {
	files: number;
	bytes: number;
	/** Failed ones that the same again may help. */
	retryable: number;
	moving: number;
	percent: number;
	saved: number;
};

export function summaryOf(rows: readonly Row[]): Summary {
	const summary: Summary = { files: rows.length, bytes: 0, retryable: 0, moving: 0, percent: 0, saved: 0 };
	for (const row of rows) {
		summary.bytes += row.file ? (row.file.compressed_bytes ?? 0) + row.file.size_bytes : 0;
		const { size_bytes = 0, compressed_bytes } = row.file ?? {};
		summary.saved += compressed_bytes == null ? 0 : Math.max(0, size_bytes - compressed_bytes);
		if (row.file?.status === 'failed' && isWorthRetrying(row.file)) summary.retryable += 1;
		const isMoving = row.file
			? !isTerminal(row.file.status)
			: !['failed', 'known', 'paused'].includes(row.upload.state);
		if (!isMoving) continue;
		summary.moving += 1;
		summary.percent += percentOf(row);
	}
	if (summary.moving > 0) summary.percent = Math.floor(summary.percent / summary.moving);
	return summary;
}

/** "12 files, 34.2 MB kept, 12 MB saved" */
export function summaryLine({ files, bytes, saved }: Summary): string {
	const parts = [count(files, 'file')];
	if (bytes > 0) parts.push(`${size(bytes)} kept`);
	if (saved > 0) parts.push(`${size(saved)} saved`);
	return parts.join(', ');
}

/** "42 % · report.pdf · Asura": how far everything is can be seen in the tab of every page. */
export function titleOf({ moving, percent }: Summary, name = ''): string {
	return [moving > 0 ? `${percent} %` : '', name, 'Asura'].filter(Boolean).join(' · ');
}
