// Passages and vectors of one batch: what has a vector already is looked up and never paid again; what is new is
// written in one transaction with its vectors, or not at all.
import type { Claim } from '../files/claim.ts';
import type { Db, Tx } from '../platform/platform.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Chunk } from './stage.ts';
import { toVectorTexts } from './vector-text.ts';

export type PassagesDeps = {
	db: Db;
	claim: Claim;
	checkpoints: Checkpoints;
	model: string;
	/** `undefined` for a text that the provider refuses: it can be found by its words only. */
	embed(texts: string[]): Promise<{ vectors: (Float32Array | undefined)[]; tokens: number }>;
	onRefused(chunk: Chunk): void;
	/** One write at a time of a file: whoever asks the database for something small waits behind one of them, not four. */
	oneByOne<T>(write: () => Promise<T>): Promise<T>;
};

/** A deletion can take a vector away between the look-up and the write; it can hardly do so every time. */
const rounds = 5;

export async function keepBatch(deps: PassagesDeps, batch: readonly Chunk[]): Promise<void> {
	const texts = new Map(batch.map(({ hash, text }) => [hash, text]));
	const vectors = new Map<string, string>();
	let tokens = 0;
	for (let round = 0; round < rounds; round++) {
		const known = await findKnown(deps, [...texts.keys()]);
		const missing = [...texts].filter(([hash]) => !known.has(hash) && !vectors.has(hash));
		const embedded = await embed(deps, missing, vectors);
		tokens += embedded.tokens;
		for (const hash of embedded.refused) texts.delete(hash);
		if (await deps.oneByOne(() => write(deps, { batch, needed: [...texts.keys()], vectors, tokens }))) {
			for (const chunk of batch) if (!texts.has(chunk.hash)) deps.onRefused(chunk);
			return;
		}
	}
	throw new Error('Vectors of this batch kept being deleted.');
}

/** Adds to `vectors`. */
async function embed(
	deps: PassagesDeps,
	missing: [hash: string, text: string][],
	vectors: Map<string, string>
): Promise<{ refused: string[]; tokens: number }> {
	if (missing.length === 0) return { refused: [], tokens: 0 };
	const made = await deps.embed(missing.map(([, text]) => text));
	const texts = await toVectorTexts(made.vectors);
	missing.forEach(([hash], i) => texts[i] && vectors.set(hash, texts[i]));
	return { refused: missing.flatMap(([hash]) => (vectors.has(hash) ? [] : [hash])), tokens: made.tokens };
}

class Gone extends Error {}

type Written = { batch: readonly Chunk[]; needed: string[]; vectors: Map<string, string>; tokens: number };

/** False when a vector that was counted on is gone: nothing was written then. */
async function write(
	{ claim, checkpoints, model }: PassagesDeps,
	{ batch, needed, vectors, tokens }: Written
): Promise<boolean> {
	const { userId } = claim.file;
	try {
		await claim.tx(async (tx) => {
			if (vectors.size > 0)
				await tx.query(vectorsSql, [userId, model, [...vectors.keys()], [...vectors.values()]]);
			const countedOn = needed.filter((hash) => !vectors.has(hash));
			if (countedOn.length > 0) {
				const { rows } = await tx.query<{ known: number }>(knownCountSql, [userId, model, countedOn]);
				if (rows[0]?.known !== countedOn.length) throw new Gone();
			}
			await writeChunks(tx, claim, batch);
			await checkpoints.advance(tx, { tokens });
		});
		return true;
	} catch (error) {
		if (error instanceof Gone) return false;
		throw error;
	}
}

/** As JSON: an array parameter has one type, and holds no null as every driver spells it. */
async function writeChunks(tx: Tx, { file }: Claim, batch: readonly Chunk[]): Promise<void> {
	await tx.query(chunksSql, [file.id, file.userId, JSON.stringify(batch)]);
}

async function findKnown({ db, claim, model }: PassagesDeps, hashes: string[]): Promise<Set<string>> {
	const { rows } = await db.query<{ hash: string }>(
		'select hash from public.embeddings where user_id = $1 and model = $2 and hash = any($3::text[])',
		[claim.file.userId, model, hashes]
	);
	return new Set(rows.map(({ hash }) => hash));
}

const knownCountSql = `
	select count(*)::int as known from public.embeddings
	where user_id = $1 and model = $2 and hash = any($3::text[])`;

const vectorsSql = `
	insert into public.embeddings (user_id, model, hash, embedding)
	select $1, $2, u.hash, u.vector::extensions.vector
	from unnest($3::text[], $4::text[]) as u (hash, vector)
	on conflict do nothing`;

/** Cutting is deterministic, so a passage that is there already is the same one, unless the way of cutting changed. */
const chunksSql = `
	insert into public.chunks as c (file_id, user_id, ordinal, page, section, text, hash)
	select $1, $2, j.ordinal, j.page, j.section, j.text, j.hash
	from jsonb_to_recordset($3::text::jsonb) as j (ordinal int, page int, section text, text text, hash text)
	on conflict (file_id, ordinal) do update
		set page = excluded.page, section = excluded.section, text = excluded.text, hash = excluded.hash
		where c.hash <> excluded.hash`;
