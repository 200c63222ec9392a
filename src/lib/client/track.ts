// The stage track: five segments that fill from left to right, the same in the list and on a file's page.
import { type StoredFile, stages } from '#lib/shared/files.ts';

export const labels = ['kept', 'compressed', 'read', 'cut', 'embedded'] as const;

export type Segment = {
	label: (typeof labels)[number];
	state: 'done' | 'now' | 'ahead' | 'stopped';
	/** How much of it is filled, 0 to 1; null while nobody knows: it then breathes. */
	share: number | null;
};

export type Tracked = Pick<StoredFile, 'status' | 'processing_stage' | 'activity'> &
	Partial<Pick<StoredFile, 'stage_progress'>>;

export function segmentsOf(file: Tracked): Segment[] {
	if (file.status === 'completed') return labels.map((label) => ({ label, state: 'done', share: 1 }));
	const isStopped = file.status === 'failed' || file.status === 'cancelled';
	// Bytes that are on the server are kept, whatever comes later.
	const current = Math.max(1, stages.indexOf(file.processing_stage ?? 'upload'));
	return labels.map((label, i) => {
		if (i < current) return { label, state: 'done', share: 1 };
		if (file.status === 'pending' || (isStopped && i > current)) return { label, state: 'ahead', share: 0 };
		if (i > current) return laterSegment(label, file.stage_progress?.[stages[i] ?? 'upload']);
		if (isStopped) return { label, state: 'stopped', share: 0 };
		return { label, state: 'now', share: shareOf(file) };
	});
}

/** Stages overlap: a later one may be under way, or even done, before an earlier one. */
function laterSegment(label: Segment['label'], share: number | null | undefined): Segment {
	if (share === undefined) return { label, state: 'ahead', share: 0 };
	return share === 1 ? { label, state: 'done', share: 1 } : { label, state: 'now', share };
}

/** Nothing has begun, and nothing is about to. */
export const untouched: readonly Segment[] = labels.map((label) => ({ label, state: 'ahead', share: 0 }));

/** While this browser is still sending, only the first segment moves. */
export function sendingSegments(share: number | null, isStopped = false): Segment[] {
	return labels.map((label, i) => {
		if (i > 0) return { label, state: 'ahead', share: 0 };
		return isStopped ? { label, state: 'stopped', share: 0 } : { label, state: 'now', share };
	});
}

function shareOf({ activity }: Tracked): number | null {
	if (!activity || activity.unit === 'seconds_waiting' || !activity.total) return null;
	return Math.min(1, activity.done / activity.total);
}
