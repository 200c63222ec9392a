// What processing a file took, for the person who looks at it.
import * as v from 'valibot';
import { FileDetails } from '#lib/shared/api.ts';
import { problem } from '../errors.ts';
import type { Db } from '../platform/platform.ts';
import { checkFileId } from './ids.ts';

/** null: nobody knows. */
export type EstimateUsd = (model: string, tokens: number) => number | null;

const Row = v.omit(FileDetails, ['estimated_usd']);

export async function findDetails(
	db: Db,
	estimateUsd: EstimateUsd,
	userId: string,
	id: string
): Promise<FileDetails> {
	const { rows } = await db.query(detailsSql, [checkFileId(id), userId]);
	if (!rows[0]) throw problem('file.not_found');
	const { model, tokens, seconds } = v.parse(Row, rows[0]);
	return { model, tokens, seconds, estimated_usd: model === null ? null : estimateUsd(model, tokens) };
}

/** Only the server reads checkpoints, so this is filtered by the person and not by row-level security. */
const detailsSql = `
	select s.result ->> 'model' as model, coalesce((s.result ->> 'tokens')::float8, 0) as tokens,
		s.result -> 'took' as seconds
	from public.files f left join asura.file_stages s on s.file_id = f.id and s.stage = 'embedding'
	where f.id = $1 and f.user_id = $2`;
