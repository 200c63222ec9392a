// A query to passages: by words, by vectors of the active model and by file names, in one ranking. When the embedder
// cannot answer in time, words alone must do, and the answer says so.
import { problem } from '#lib/server/errors.ts';
import type { Embedder } from '#lib/server/embedder/embedder.ts';
import type { Capabilities, Db } from '#lib/server/platform/platform.ts';
import type { SearchAnswer, SearchQuery, SearchResult } from '#lib/shared/api.ts';
import { typesOf } from '#lib/shared/kinds.ts';
import { findCandidates } from './candidates.ts';
import { cutPassage } from './passage.ts';
import { readPassages } from './passages.ts';
import { parseQuery } from './query.ts';
import { rank, type Ranked } from './rank.ts';
import { createVectorCache } from './vector-cache.ts';

export type Search = ReturnType<typeof createSearch>;

type Deps = { db: Db; embedder: Embedder; capabilities: Pick<Capabilities, 'hasVectors'> };

const defaultLimit = 20;
/** A long file must not fill the whole answer. */
const perFile = 5;

export function createSearch({ db, embedder, capabilities }: Deps) {
	const vectorOf = createVectorCache(embedder);
	return {
		async find(
			userId: string,
			{ q, limit = defaultLimit, type, file, after, before, project, tag }: SearchQuery
		): Promise<SearchAnswer> {
			const query = parseQuery(q);
			if (query.text === '') throw problem('search.query_missing');
			// Who uses quotes wants these words, not others like them.
			const isLoose = query.words.length > 0 && !query.hasOperators;
			const vector = capabilities.hasVectors && isLoose ? await vectorOf(query.text) : undefined;
			const candidates = await findCandidates(db, {
				userId,
				query,
				filter: { file, types: type === undefined ? undefined : typesOf(type), after, before, project, tag },
				model: embedder.model,
				vector
			});
			const found = await readPassages(db, userId, candidates);
			const ranked = rank(found, candidates, query, embedder.isSemantic);
			const best = file === undefined ? atMostPerFile(ranked) : ranked;
			const mode = vector ? 'hybrid' : 'keyword';
			return { results: best.slice(0, limit).map(toResult), mode, embedder: embedder.name };
		}
	};
}

function atMostPerFile(ranked: readonly Ranked[]): Ranked[] {
	const counts = new Map<string, number>();
	return ranked.filter(({ file_id }) => {
		const count = (counts.get(file_id) ?? 0) + 1;
		counts.set(file_id, count);
		return count <= perFile;
	});
}

function toResult({ file_id, filename, file_type, page, text, matches, score }: Ranked): SearchResult {
	return {
		file: { id: file_id, filename, file_type },
		page,
		...cutPassage(text ?? filename, matches),
		score
	};
}
