// How far somebody outside has come with a file that is at work. As a claim's progress, for a file that no process of
// ours has in hand at the moment: only of its current job, and never backwards.
import type { Stage, StageProgress } from '#lib/shared/files.ts';
import type { Tx } from '../platform/platform.ts';

export type OutsideProgress = { fileId: string; progress: number; stage: Stage; stages: StageProgress };

/** The caller has locked the row and seen that the file is processing. */
export async function writeOutsideProgress(
	tx: Tx,
	{ fileId, progress, stage, stages }: OutsideProgress
): Promise<void> {
	await tx.query(
		`update public.files set progress = greatest(progress, $2::real), processing_stage = $3,
			stage_progress = case when $2::real >= progress then $4::text::jsonb else stage_progress end,
			activity = null, eta_seconds = null
		 where id = $1 and status = 'processing'`,
		[fileId, Math.min(progress, 99.9), stage, JSON.stringify(stages)]
	);
}
