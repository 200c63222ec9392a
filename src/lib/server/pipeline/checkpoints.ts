// What a file's earlier attempts finished, one row per stage. A checkpoint counts only for the input it was made from:
// the bytes and the version of the stage.
import * as v from 'valibot';
import type { Usage } from '../embedder/vision.ts';
import type { Claim } from '../files/claim.ts';
import type { Db, Tx } from '../platform/platform.ts';

export type CheckpointStage = 'compression' | 'extraction' | 'embedding';

/** Raise one when its stage begins to make something else of the same bytes. */
const versions: Record<CheckpointStage, number> = { compression: 2, extraction: 1, embedding: 1 };

const Rows = v.array(v.object({ result: v.unknown() }));

export type Checkpoints = ReturnType<typeof createCheckpoints>;

export function createCheckpoints(db: Db, { file, attempt }: Claim) {
	const inputHash = (stage: CheckpointStage) => `${file.sha256}:${versions[stage]}`;

	return {
		/** What `finish` was told, if it fits the schema; undefined: the stage has to run. */
		async find<T>(stage: CheckpointStage, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
			if (attempt === 1) return undefined;
			const { rows } = await db.query(
				`select result from asura.file_stages
				 where file_id = $1 and stage = $2 and input_hash = $3 and finished_at is not null`,
				[file.id, stage, inputHash(stage)]
			);
			const [row] = v.parse(Rows, rows);
			const result = v.safeParse(schema, row?.result);
			return result.success ? result.output : undefined;
		},

		/** For the transaction that keeps what the stage made. */
		finish(stage: CheckpointStage, result: object): (tx: Tx) => Promise<void> {
			return (tx) => note(tx, { stage, result, isFinished: true });
		},

		/** The file got further: whatever loses its job next is not to blame for standing still. */
		async advance(tx: Tx, { tokens = 0, seenBy, seen }: Spent): Promise<void> {
			const result = seenBy === undefined ? {} : { seen_by: seenBy };
			await note(tx, { stage: 'embedding', result, isFinished: false, tokens, seen });
		}
	};

	async function note(tx: Tx, { stage, result, isFinished, tokens = 0, seen }: Note): Promise<void> {
		const json = JSON.stringify(result);
		const spent = [tokens, seen?.input ?? 0, seen?.output ?? 0];
		await tx.query(noteSql, [file.id, stage, attempt, inputHash(stage), json, isFinished, ...spent]);
	}
}

/** Tokens of the embedding model; tokens of the model that reads pictures, and its name. */
type Spent = { tokens?: number; seenBy?: string; seen?: Usage | undefined };
type Note = Omit<Spent, 'seenBy'> & { stage: CheckpointStage; result: object; isFinished: boolean };

const sum = (key: string, added: string) =>
	`'${key}', coalesce((s.result ->> '${key}')::float8, 0) + ${added}::float8`;

/** Tokens add up over all batches and attempts: they were paid. */
const noteSql = `
	insert into asura.file_stages as s (file_id, stage, attempt, input_hash, result, finished_at)
	values ($1, $2, $3, $4, $5::text::jsonb || jsonb_build_object(
			'tokens', $7::float8, 'seen_input', $8::float8, 'seen_output', $9::float8),
		case when $6::boolean then clock_timestamp() end)
	on conflict (file_id, stage) do update set attempt = excluded.attempt, input_hash = excluded.input_hash,
		result = jsonb_strip_nulls(jsonb_build_object('seen_by', s.result -> 'seen_by')) || excluded.result
			|| jsonb_build_object(${sum('tokens', '$7')}, ${sum('seen_input', '$8')}, ${sum('seen_output', '$9')}),
		finished_at = excluded.finished_at`;
