// The passages worth ranking, as ids and scores from five lists, in one round trip.
//
// This statement runs without row-level security, under which Postgres may not use the index on words (its operator is
// not leakproof; 110 ms instead of 1 ms for 20,000 passages). Every list in it is of files that the person may read, and the
// texts are read under row-level security (passages.ts): a mistake here could only find too little.
import * as v from 'valibot';
import type { Queryable } from '#lib/server/platform/platform.ts';
import { withoutVectors, withVectors } from './candidates-sql.ts';
import type { Query } from './query.ts';

export type Candidate = v.InferOutput<typeof Candidate>;
export type Filter = {
	file?: string | undefined;
	types?: readonly string[] | undefined;
	after?: string | undefined;
	before?: string | undefined;
	project?: string | undefined;
	tag?: string | undefined;
};
export type Wanted = {
	userId: string;
	query: Query;
	/** Only these files. */
	filter: Filter;
	model: string;
	vector: Float32Array | undefined;
};

const Candidate = v.object({
	/** How it was found: all words, some words, inside a run of letters, near in meaning or letters, by the file's name. */
	list: v.picklist(['words', 'some_words', 'inside', 'vector', 'name']),
	file_id: v.string(),
	ordinal: v.number(),
	score: v.number()
});

/** Each list best first. */
export async function findCandidates(db: Queryable, wanted: Wanted): Promise<Candidate[]> {
	const { userId, query, filter, model, vector } = wanted;
	const params = [
		userId,
		filter.file ?? null,
		query.folded,
		query.hasOperators ? '' : query.allWords,
		query.hasOperators ? '' : query.anyWord,
		query.unspaced,
		query.hasOperators ? [] : query.words.map((word) => `%${word}%`),
		filter.types ?? null,
		filter.after ?? null,
		filter.before ?? null,
		filter.project ?? null,
		filter.tag ?? null
	];
	const isSome = Object.values(filter).some((value) => value !== undefined);
	const { rows } = vector
		? await db.query(withVectors(vector.length), [...params, `[${vector.join(',')}]`, model, isSome])
		: await db.query(withoutVectors, params);
	return v.parse(v.array(Candidate), rows);
}
