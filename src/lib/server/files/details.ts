// What processing a file took, for the person who looks at it.
import * as v from 'valibot';
import { FileDetails } from '#lib/shared/api.ts';
import { problem } from '../errors.ts';
import type { Db } from '../platform/platform.ts';
import { checkFileId } from './ids.ts';

/** null: nobody knows. */
export type EstimateUsd = (model: string, tokens: { input: number; output: number }) => number | null;

const Row = v.object({
	...v.omit(FileDetails, ['estimated_usd']).entries,
	seen_by: v.nullable(v.string()),
	seen_input: v.number(),
	seen_output: v.number()
});

export async function findDetails(
	db: Db,
	estimateUsd: EstimateUsd,
	userId: string,
	id: string
): Promise<FileDetails> {
	const { rows } = await db.query(detailsSql, [checkFileId(id), userId]);
	if (!rows[0]) throw problem('file.not_found');
	const { model, tokens, seen_by, seen_input, seen_output, seconds } = v.parse(Row, rows[0]);
	const embedding = model === null ? null : estimateUsd(model, { input: tokens, output: 0 });
	const seeing = seen_by === null ? 0 : estimateUsd(seen_by, { input: seen_input, output: seen_output });
	return {
		model,
		tokens: tokens + seen_input + seen_output,
		seconds,
		estimated_usd: embedding === null || seeing === null ? null : embedding + seeing
	};
}

/** Only the server reads checkpoints, so this is filtered by the person and not by row-level security. */
const detailsSql = `
	select s.result ->> 'model' as model, coalesce((s.result ->> 'tokens')::float8, 0) as tokens,
		s.result ->> 'seen_by' as seen_by, coalesce((s.result ->> 'seen_input')::float8, 0) as seen_input,
		coalesce((s.result ->> 'seen_output')::float8, 0) as seen_output, s.result -> 'took' as seconds
	from public.files f left join asura.file_stages s on s.file_id = f.id and s.stage = 'embedding'
	where f.id = $1 and f.user_id = $2`;
