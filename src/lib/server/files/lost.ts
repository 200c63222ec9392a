// Rows whose bytes are gone, as after a storage that lost them or a restore of the database alone. Nothing that was
// read is thrown away: a completed file stays and can be found, with a warning; any other one fails.
import { problem } from '../errors.ts';
import type { Db } from '../platform/platform.ts';
import type { Bell } from './bell.ts';

const code = 'file.lost';

/** A condition on a row `f` of public.files: nobody can read these bytes any more. */
export const isLostSql = `(f.error_code is not distinct from '${code}' or f.warnings @> '[{"code":"${code}"}]')`;

/** The number of files that were not known to be lost. Older work on them may not write any more. */
export async function markLost(
	{ db, bell }: { db: Db; bell: Bell },
	ids: readonly string[]
): Promise<number> {
	const { message } = problem(code);
	const { rows } = await db.query<{ user_id: string }>(markSql, [
		ids,
		code,
		message,
		JSON.stringify([{ code, message: `${message} What was read of it can still be found.` }])
	]);
	for (const userId of new Set(rows.map(({ user_id }) => user_id))) bell.ring(userId);
	return rows.length;
}

const markSql = `
	update public.files f set
		status = case when is_done then f.status else 'failed' end,
		attempt = case when is_done then f.attempt else f.attempt + 1 end,
		error_code = case when is_done then f.error_code else $2::text end,
		error_message = case when is_done then f.error_message else $3::text end,
		warnings = case when is_done then f.warnings || $4::text::jsonb else f.warnings end,
		queue_position = null, activity = null, stage_progress = '{}', eta_seconds = null
	from (select id, status = 'completed' as is_done from public.files where id = any($1::text[]::uuid[])) was
	where f.id = was.id and (f.status = 'completed') = was.is_done and not ${isLostSql}
	returning f.user_id::text`;
