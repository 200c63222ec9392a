// What a file's earlier attempts finished, one row per stage. A checkpoint counts only for the input it was made from:
// the bytes and the version of the stage.
import * as v from 'valibot';
import type { Claim } from '../files/claim.ts';
import type { Db, Tx } from '../platform/platform.ts';

export type CheckpointStage = 'compression' | 'extraction' | 'embedding';

/** Raise one when its stage begins to make something else of the same bytes. */
const versions: Record<CheckpointStage, number> = { compression: 1, extraction: 1, embedding: 1 };

const Rows = v.array(v.object({ result: v.unknown() }));

export type Checkpoints = ReturnType<typeof createCheckpoints>;

export function createCheckpoints(db: Db, { file, attempt, tx }: Claim) {
	const inputHash = (stage: CheckpointStage) => `${file.sha256}:${versions[stage]}`;

	return {
		/** What `finish` was told, if it fits the schema; undefined: the stage has to run. */
		async find<T>(stage: CheckpointStage, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
			const { rows } = await db.query(
				`select result from asura.file_stages
				 where file_id = $1 and stage = $2 and input_hash = $3 and finished_at is not null`,
				[file.id, stage, inputHash(stage)]
			);
			const [row] = v.parse(Rows, rows);
			const result = v.safeParse(schema, row?.result);
			return result.success ? result.output : undefined;
		},

		finish: (stage: CheckpointStage, result: unknown): Promise<void> =>
			tx((tx) => note(tx, stage, result, true)),

		/** The file got further: whatever loses its job next is not to blame for standing still. */
		advance: (tx: Tx, stage: CheckpointStage): Promise<void> => note(tx, stage, null, false)
	};

	async function note(tx: Tx, stage: CheckpointStage, result: unknown, isFinished: boolean): Promise<void> {
		await tx.query(
			`insert into asura.file_stages (file_id, stage, attempt, input_hash, result, finished_at)
			 values ($1, $2, $3, $4, $5::text::jsonb, case when $6::boolean then clock_timestamp() end)
			 on conflict (file_id, stage) do update set attempt = excluded.attempt,
				input_hash = excluded.input_hash, result = excluded.result, finished_at = excluded.finished_at`,
			[file.id, stage, attempt, inputHash(stage), JSON.stringify(result), isFinished]
		);
	}
}
