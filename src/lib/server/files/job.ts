// The work on one file as it stands in the queue, and what files ask of the queue (which comes after them in the row
// of imports, so it is handed in).
import * as v from 'valibot';
import type { Tx } from '../platform/platform.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const Job = v.object({
	fileId: v.pipe(v.string(), v.uuid()),
	/** The file's attempt when the job was queued: after a cancel or a retry an older job may not touch it any more. */
	attempt: count,
	sizeBytes: count,
	/** How often the work was put off because somebody else (the model provider) was not able to do his part. */
	tries: count,
	/**
	 * Usually what has not been done yet. `anew`: everything, although it was done before. `vectors`: those of the active
	 * model for the passages of a completed file.
	 */
	kind: v.optional(v.picklist(['anew', 'vectors'])),
	/** The request that asked for it (tracing.ts). */
	trace: v.optional(v.pipe(v.string(), v.maxLength(100)))
});
export type Job = v.InferOutput<typeof Job>;

export type NewJob = Omit<Job, 'tries'>;

export type Jobs = {
	/**
	 * In the caller's transaction: the job exists if and only if his change does. `backlog`: how many files of the same
	 * person wait already.
	 */
	send(tx: Tx, job: NewJob, backlog?: number): Promise<void>;
	/** Before all others that wait. */
	prefer(tx: Tx, file: Pick<Job, 'fileId' | 'sizeBytes'>): Promise<void>;
	/**
	 * Ends the work of attempts before `before`; a later one may have begun before everybody has heard of this. Resolves
	 * when the work on this file in this process has ended (or a moment later, if it does not).
	 */
	cancel(fileId: string, before?: number): Promise<void>;
};
