// One file as everybody outside the server sees it: the API's answers, the stream's messages, the page.
import * as v from 'valibot';

export const stages = ['upload', 'compression', 'extraction', 'chunking', 'embedding'] as const;
export const statuses = ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const;

export const Stage = v.picklist(stages);
export const Status = v.picklist(statuses);

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What is happening inside the stage now. `total` is null when nobody knows it: a bar then breathes, it never pretends. */
export const Activity = v.object({
	unit: v.picklist(['bytes', 'pages', 'chunks', 'seconds_waiting']),
	done: v.pipe(v.number(), v.minValue(0)),
	total: v.nullable(v.pipe(v.number(), v.minValue(0)))
});

export const Warning = v.object({
	code: v.string(),
	message: v.string(),
	pages: v.optional(v.array(count))
});

/** Of each stage that has begun, how much of it is done (0 to 1); null while nobody knows. Stages overlap. */
export const StageProgress = v.partial(
	v.object(v.entriesFromList(stages, v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1)))))
);

export const StoredFile = v.object({
	id: v.pipe(v.string(), v.uuid()),
	filename: v.string(),
	/** Where it was at its sender's: names joined by "/", or "". */
	folder: v.string(),
	file_type: v.string(),
	size_bytes: count,
	status: Status,
	progress: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
	processing_stage: v.nullable(Stage),
	activity: v.nullable(Activity),
	stage_progress: StageProgress,
	error_code: v.nullable(v.string()),
	error_message: v.nullable(v.string()),
	warnings: v.array(Warning),
	rev: count,
	sha256: v.string(),
	page_count: v.nullable(count),
	chunk_count: v.nullable(count),
	compressed_bytes: v.nullable(count),
	duplicate_of: v.nullable(v.string()),
	queue_position: v.nullable(count),
	eta_seconds: v.nullable(v.number()),
	created_at: v.string(),
	updated_at: v.string()
});

export type Stage = v.InferOutput<typeof Stage>;
export type Status = v.InferOutput<typeof Status>;
export type Activity = v.InferOutput<typeof Activity>;
export type StageProgress = v.InferOutput<typeof StageProgress>;
export type Warning = v.InferOutput<typeof Warning>;
export type StoredFile = v.InferOutput<typeof StoredFile>;

export function isTerminal(status: Status): boolean {
	return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/**
 * What is under way beside `processing_stage`, which is the earliest. Cutting is not told: it goes along with reading.
 */
export function alsoUnderWay({
	processing_stage,
	stage_progress
}: Pick<StoredFile, 'processing_stage' | 'stage_progress'>): Stage[] {
	return stages.filter((stage) => {
		const share = stage_progress[stage];
		return stage !== processing_stage && stage !== 'chunking' && share !== undefined && share !== 1;
	});
}
