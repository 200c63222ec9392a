// Another embedding model was configured: files that were completed under an earlier one get vectors of the active one
// beside the old, one file at a time and after everything else. They stay completed; what has no vector yet is found
// by its words. When all of a person's files are through, the old vectors go.
import { AppError } from '../errors.ts';
import type { Embedder } from '../embedder/embedder.ts';
import type { Job, Jobs } from '../files/job.ts';
import { lockOwner, shareOwnerLock } from '../files/owner-lock.ts';
import type { Log } from '../log.ts';
import type { Db } from '../platform/platform.ts';
import type { PutOff, Queue } from '../queue/queue.ts';
import { retryAfterSeconds } from './retries.ts';
import { toVectorTexts } from './vector-text.ts';

export type ReembeddingDeps = {
	db: Db;
	queue: Pick<Jobs, 'send'> & Pick<Queue, 'waitingForVectors'>;
	embedder: Pick<Embedder, 'model' | 'embed'>;
	log: Log;
};

const batchChunks = 64;
const sentAtOnce = 100;

type Missing = { ordinal: number; hash: string; text: string };

export function createReembedding({ db, queue, embedder, log }: ReembeddingDeps) {
	const { model } = embedder;

	/** The number of files that are still to be done, under way included. */
	async function start(): Promise<number> {
		const { rows } = await db.query<{ id: string; attempt: number; size: number }>(outdatedSql, [model]);
		const known = await queue.waitingForVectors();
		const unsent = rows.filter(({ id }) => !known.has(id));
		for (let i = 0; i < unsent.length; i += sentAtOnce) {
			await db.tx(async (tx) => {
				for (const { id, attempt, size } of unsent.slice(i, i + sentAtOnce))
					await queue.send(tx, { fileId: id, attempt, sizeBytes: size, kind: 'vectors' });
			});
		}
		if (rows.length > 0) log.info({ files: rows.length, model }, 'files get vectors of another model');
		return rows.length;
	}

	async function run({ fileId, tries }: Job, signal: AbortSignal): Promise<PutOff | undefined> {
		const { rows } = await db.query<{ user_id: string }>(
			`select user_id::text from public.files where id = $1 and status = 'completed'`,
			[fileId]
		);
		const [file] = rows;
		if (!file) return undefined;
		let tokens: number;
		try {
			tokens = await embedMissing(fileId, file.user_id, signal);
		} catch (error) {
			signal.throwIfAborted();
			if (!(error instanceof AppError) || error.code === 'server.unexpected') throw error;
			const inSeconds = retryAfterSeconds[tries];
			log.warn({ fileId, code: error.code, inSeconds }, 'a file got no vectors of the other model');
			// After the last one it is tried at the next start.
			return inSeconds === undefined ? undefined : { inSeconds, tries: tries + 1 };
		}
		// Handed over to another owner meanwhile, it is begun again with what is missing there.
		const isDone = await finish(fileId, file.user_id, tokens);
		return isDone ? undefined : { inSeconds: retryAfterSeconds[0] ?? 0, tries };
	}

	async function embedMissing(fileId: string, userId: string, signal: AbortSignal): Promise<number> {
		let tokens = 0;
		const onTokens = (count: number) => (tokens += count);
		for (let after = -1; ;) {
			const { rows } = await db.query<Missing>(missingSql, [fileId, model, after]);
			const last = rows.at(-1);
			if (!last) return tokens;
			const texts = new Map(rows.map(({ hash, text }) => [hash, text]));
			const made = await toVectorTexts(await embedder.embed([...texts.values()], { signal, onTokens }));
			// A text that the provider refuses has none; it is found by its words.
			const vectors = [...texts.keys()].flatMap((hash, i) => (made[i] ? [{ hash, vector: made[i] }] : []));
			await db.tx(async (tx) => {
				await shareOwnerLock(tx, userId);
				await tx.query(keepSql, [
					userId,
					model,
					vectors.map((one) => one.hash),
					vectors.map((one) => one.vector)
				]);
			});
			after = last.ordinal;
		}
	}

	/** False when the file is not the person's any more. */
	async function finish(fileId: string, userId: string, tokens: number): Promise<boolean> {
		return db.tx(async (tx) => {
			await lockOwner(tx, userId);
			const { rowCount: isTheirs } = await tx.query(doneSql, [fileId, model, tokens, userId]);
			const { rowCount } = await tx.query(`${outdatedSql} and f.user_id = $2 limit 1`, [model, userId]);
			if (rowCount > 0) return isTheirs > 0;
			const gone = await tx.query('delete from public.embeddings where user_id = $1 and model <> $2', [
				userId,
				model
			]);
			if (gone.rowCount > 0) log.info({ vectors: gone.rowCount }, 'vectors of earlier models are gone');
			return isTheirs > 0;
		});
	}

	return { start, run };
}

/** Completed files that nobody has noted to be complete under this model. */
const outdatedSql = `
	select f.id::text, f.attempt, f.size_bytes::float8 as size from public.files f
	where f.status = 'completed' and not exists (
		select from asura.file_stages s where s.file_id = f.id and s.stage = 'embedding'
			and s.finished_at is not null and s.result ->> 'model' = $1
	)`;

const missingSql = `
	select c.ordinal, c.hash, c.text from public.chunks c
	where c.file_id = $1 and c.ordinal > $3::int and not exists (
		select from public.embeddings e where e.user_id = c.user_id and e.model = $2 and e.hash = c.hash
	)
	order by c.ordinal limit ${batchChunks}`;

/** The file may have been deleted meanwhile: a vector that no passage needs is not kept. */
const keepSql = `
	insert into public.embeddings (user_id, model, hash, embedding)
	select $1, $2, u.hash, u.vector::extensions.vector
	from unnest($3::text[], $4::text[]) as u (hash, vector)
	where exists (select from public.chunks c where c.user_id = $1 and c.hash = u.hash)
	on conflict do nothing`;

const doneSql = `
	insert into asura.file_stages as s (file_id, stage, attempt, input_hash, result, finished_at)
	select f.id, 'embedding', f.attempt, f.sha256,
		jsonb_build_object('model', $2::text, 'tokens', $3::float8), clock_timestamp()
	from public.files f where f.id = $1 and f.status = 'completed' and f.user_id = $4
	on conflict (file_id, stage) do update set finished_at = excluded.finished_at,
		result = s.result || jsonb_build_object('model', $2::text,
			'tokens', coalesce((s.result ->> 'tokens')::float8, 0) + $3::float8)`;
