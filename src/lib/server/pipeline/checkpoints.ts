// What a file's earlier attempts finished, one row per stage. A checkpoint counts only for the input it was made from:
// the bytes and the version of the stage.
import * as v from 'valibot';
import type { Claim } from '../files/claim.ts';
import type { Db, Tx } from '../platform/platform.ts';

export type CheckpointStage = 'compression' | 'extraction' | 'embedding';

/** Raise one when its stage begins to make something else of the same bytes. */
const versions: Record<CheckpointStage, number> = { compression: 2, extraction: 1, embedding: 1 };

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

		async finish(stage: CheckpointStage, result: object): Promise<void> {
			await tx((tx) => note(tx, { stage, result, isFinished: true, tokens: 0 }));
		},

		/** The file got further: whatever loses its job next is not to blame for standing still. */
		async advance(tx: Tx, tokens: number): Promise<void> {
			await note(tx, { stage: 'embedding', result: {}, isFinished: false, tokens });
		}
	};

	async function note(tx: Tx, { stage, result, isFinished, tokens }: Note): Promise<void> {
		const json = JSON.stringify(result);
		await tx.query(noteSql, [file.id, stage, attempt, inputHash(stage), json, isFinished, tokens]);
	}
}

type Note = { stage: CheckpointStage; result: object; isFinished: boolean; tokens: number };

/** Tokens add up over all batches and attempts: they were paid. */
const noteSql = `
	insert into asura.file_stages as s (file_id, stage, attempt, input_hash, result, finished_at)
	values ($1, $2, $3, $4, $5::text::jsonb || jsonb_build_object('tokens', $7::float8),
		case when $6::boolean then clock_timestamp() end)
	on conflict (file_id, stage) do update set attempt = excluded.attempt, input_hash = excluded.input_hash,
		result = excluded.result || jsonb_build_object('tokens',
			coalesce((s.result ->> 'tokens')::float8, 0) + $7::float8),
		finished_at = excluded.finished_at`;
