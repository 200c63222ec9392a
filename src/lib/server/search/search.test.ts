import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Embedder } from '#lib/server/embedder/embedder.ts';
import { createLexicalEmbedder } from '#lib/server/embedder/lexical.ts';
import { problem } from '#lib/server/errors.ts';
import type { SearchAnswer } from '#lib/shared/api.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { wordVector } from '../../../../tests/support/provider.ts';
import { createSearch } from './search.ts';

const lexical = createLexicalEmbedder();
const signal = new AbortController().signal;
const harbour =
	'The lantern at the harbour is lit when winter begins. Fishing boats return before the storm.';
const recipe = 'Crème brûlée needs cream, egg yolks and sugar; caramelise the top with a flame.';
const invoice = 'Invoice 2024-117 for the repair of a coffee machine, 349.90 EUR, due in thirty days.';
const japanese = '機械学習の入門書です。東京で出版されました。';

let platform: TestPlatform;
let ada: string;
let bob: string;

beforeAll(async () => {
	platform = await openTestPlatform();
});
afterAll(() => platform.close());
beforeEach(async () => {
	[ada, bob] = [await platform.addUser(), await platform.addUser()];
});

type NewFile = { filename?: string; status?: string; texts: string[]; embedder?: Embedder; pages?: boolean };

async function addFile(
	userId: string,
	{ filename = 'notes.txt', status = 'completed', texts, embedder = lexical, pages = true }: NewFile
): Promise<string> {
	const id = randomUUID();
	await platform.db.query(
		`insert into public.files (id, user_id, blob_id, filename, file_type, size_bytes, sha256, status, progress)
		 values ($1, $2, $1, $3, 'text/plain', 10, repeat('a', 64), $4, case when $4 = 'completed' then 100 else 0 end)`,
		[id, userId, filename, status]
	);
	const vectors = await embedder.embed(texts, { signal });
	for (const [i, text] of texts.entries()) {
		const hash = createHash('sha256').update(text).digest('hex');
		await platform.db.query(
			'insert into public.chunks (file_id, ordinal, user_id, page, text, hash) values ($1, $2, $3, $4, $5, $6)',
			[id, i, userId, pages ? i + 1 : null, text, hash]
		);
		await platform.db.query(
			'insert into public.embeddings (user_id, hash, model, embedding) values ($1, $2, $3, $4::extensions.vector) on conflict do nothing',
			[userId, hash, embedder.model, `[${vectors[i]?.join(',')}]`]
		);
	}
	return id;
}

function searchWith(embedder: Embedder = lexical, hasVectors = true) {
	return createSearch({ db: platform.db, embedder, capabilities: { hasVectors } });
}

function find(q: string, userId = ada, rest: { limit?: number; file?: string } = {}): Promise<SearchAnswer> {
	return searchWith().find(userId, { q, ...rest });
}

/** The highlighted words of each result. */
function marked({ results }: SearchAnswer): string[][] {
	return results.map(({ passage, highlights }) =>
		highlights.map(([start, end]) => passage.slice(start, end))
	);
}

describe('a search', () => {
	test('finds the passage, its file and its page, and marks the words', async () => {
		const id = await addFile(ada, { filename: 'coast.txt', texts: [recipe, harbour] });
		const answer = await find('harbour lantern');
		expect(answer).toMatchObject({ mode: 'hybrid', embedder: 'lexical' });
		expect(answer.results).toHaveLength(1);
		expect(answer.results[0]).toMatchObject({
			file: { id, filename: 'coast.txt', file_type: 'text/plain' },
			page: 2,
			passage: harbour
		});
		expect(marked(answer)).toEqual([['lantern', 'harbour']]);
		expect(answer.results[0]?.score).toBeGreaterThan(0.5);
	});

	test('finds while the last word is still being typed', async () => {
		await addFile(ada, { texts: [harbour] });
		expect(marked(await find('lantern harb'))).toEqual([['lantern', 'harbour']]);
	});

	test('finds without accents and in any case, both ways', async () => {
		await addFile(ada, { texts: [recipe, 'The cafe is closed.'] });
		expect(marked(await find('CREME brulee'))).toEqual([['Crème', 'brûlée']]);
		expect(marked(await find('café'))).toEqual([['cafe']]);
	});

	test('finds inside scripts without spaces', async () => {
		await addFile(ada, { texts: [japanese, harbour] });
		const answer = await find('入門');
		expect(answer.results).toHaveLength(1);
		expect(marked(answer)).toEqual([['入門']]);
	});

	test('finds misspelled words', async () => {
		await addFile(ada, { texts: [recipe, harbour, invoice] });
		const answer = await find('harbuor lanterns');
		expect(answer.results[0]?.passage).toBe(harbour);
		expect(marked(answer)[0]).toEqual(['lantern', 'harbour']);
	});

	test('answers a question in whole sentences', async () => {
		await addFile(ada, { texts: [recipe, harbour, invoice] });
		expect((await find('How much was the repair of my coffee machine?')).results[0]?.passage).toBe(invoice);
	});

	test('counts short words that say something, and no glue', async () => {
		await addFile(ada, { texts: ['A fox was seen.', 'Nothing but grass was there.'] });
		const foxes = (await find('fox unicorn')).results.map((result) => result.passage);
		expect(foxes).toEqual(['A fox was seen.']);
		expect((await find('was unicorn')).results).toEqual([]);
	});

	test('takes quotes and minus at their word', async () => {
		await addFile(ada, { texts: [harbour, 'Winter at the harbour without a light.'] });
		expect((await find('"winter begins"')).results.map((result) => result.passage)).toEqual([harbour]);
		expect((await find('harbour -lantern')).results[0]?.passage).toContain('without a light');
	});

	test('finds a file by its name', async () => {
		const id = await addFile(ada, { filename: 'Jahresbericht_2023-final.pdf', texts: [harbour] });
		expect((await find('jahresbericht 2023')).results[0]?.file.id).toBe(id);
		const empty = await addFile(ada, { filename: 'Skizze.png', texts: [] });
		expect((await find('skizze')).results[0]).toMatchObject({
			file: { id: empty },
			page: null,
			passage: 'Skizze.png',
			highlights: [[0, 6]]
		});
	});

	test('finds nothing rather than noise', async () => {
		await addFile(ada, { texts: [recipe, harbour, invoice, japanese] });
		for (const q of ['xyzzyqwv', 'zzzz qqqq', 'plumbus grumbo', '!!!', '…', '的']) {
			expect((await find(q)).results, q).toEqual([]);
		}
	});

	test('stays inside one file when asked to', async () => {
		await addFile(ada, { texts: [harbour] });
		const other = await addFile(ada, { texts: [`${harbour} Again.`] });
		expect((await find('harbour', ada, { file: other })).results.map((result) => result.file.id)).toEqual([
			other
		]);
		expect((await find('harbour', ada, { file: randomUUID() })).results).toEqual([]);
	});

	test('gives at most as many results as asked for, and no file fills the answer alone', async () => {
		await addFile(ada, { texts: Array.from({ length: 30 }, (_, i) => `Lantern number ${i} stands here.`) });
		await addFile(ada, { texts: ['One more lantern.'] });
		expect((await find('lantern', ada, { limit: 3 })).results).toHaveLength(3);
		const results = (await find('lantern')).results;
		expect(new Set(results.map((result) => result.file.id)).size).toBe(2);
		expect(results).toHaveLength(6);
	});

	test('puts passages with all words first', async () => {
		await addFile(ada, {
			texts: [
				'Only a lantern here, a lantern, a lantern.',
				harbour,
				'Only the harbour here, harbour, harbour.'
			]
		});
		expect((await find('lantern harbour')).results[0]?.passage).toBe(harbour);
	});
});

describe('who and what is searched', () => {
	test('only the person’s own files', async () => {
		await addFile(bob, { texts: [harbour] });
		expect((await find('harbour')).results).toEqual([]);
		expect((await find('harbour', bob)).results).toHaveLength(1);
	});

	test('completed and processing files, never failed, cancelled or deleted ones', async () => {
		await addFile(ada, { status: 'processing', texts: ['lantern one'] });
		await addFile(ada, { status: 'failed', filename: 'lantern.txt', texts: ['lantern two'] });
		await addFile(ada, { status: 'cancelled', texts: ['lantern three'] });
		const gone = await addFile(ada, { texts: ['lantern four'] });
		await platform.db.query('delete from public.files where id = $1', [gone]);
		expect((await find('lantern')).results.map((result) => result.passage)).toEqual(['lantern one']);
	});

	test('only vectors of the active model', async () => {
		const other: Embedder = {
			...lexical,
			model: 'another',
			embed: async (texts) => texts.map(() => new Float32Array([1, 2, 3]))
		};
		await addFile(ada, { texts: [harbour], embedder: other });
		expect((await find('harbuor lanterns')).results).toEqual([]);
		expect((await find('harbour')).results).toHaveLength(1);
	});

	test('vectors of an odd size do no harm', async () => {
		const odd: Embedder = {
			...lexical,
			embed: async (texts) => texts.map(() => new Float32Array([1, 2, 3]))
		};
		await addFile(ada, { texts: [harbour], embedder: odd });
		expect((await find('harbour')).results).toHaveLength(1);
	});
});

describe('a model', () => {
	const meaning: Embedder = {
		name: 'double',
		model: 'double',
		isSemantic: true,
		embed: async (texts) => texts.map((text) => wordVector(text.replace('automobile', 'car'), 64))
	};

	test('finds by meaning what shares no word', async () => {
		await addFile(ada, { texts: ['car', harbour], embedder: meaning });
		const answer = await searchWith(meaning).find(ada, { q: 'automobile' });
		expect(answer).toMatchObject({ mode: 'hybrid', embedder: 'double' });
		expect(answer.results[0]).toMatchObject({ passage: 'car', highlights: [] });
	});

	test('that cannot answer leaves the search by words, and the answer says so', async () => {
		await addFile(ada, { texts: [harbour] });
		const broken: Embedder = { ...meaning, embed: () => Promise.reject(problem('embedding.unreachable')) };
		const answer = await searchWith(broken).find(ada, { q: 'harbour' });
		expect(answer.mode).toBe('keyword');
		expect(answer.results).toHaveLength(1);
	});

	test('is asked once for the same query', async () => {
		let calls = 0;
		const counting: Embedder = {
			...meaning,
			embed: (texts, options) => (calls++, meaning.embed(texts, options))
		};
		const search = searchWith(counting);
		for (let i = 0; i < 3; i++) await search.find(ada, { q: 'harbour' });
		expect(calls).toBe(1);
	});

	test('a database without vectors searches by words', async () => {
		await addFile(ada, { texts: [harbour] });
		const answer = await searchWith(meaning, false).find(ada, { q: 'harbour' });
		expect(answer).toMatchObject({ mode: 'keyword' });
		expect(answer.results).toHaveLength(1);
	});
});

describe('whatever is typed', () => {
	test.each([
		"'; drop table public.files; --",
		'a & b | !c <-> (d',
		"':*",
		'\\',
		'"unclosed',
		'((((',
		'or or or',
		'-',
		'- -',
		'a:*b',
		'\0null\0',
		'😀',
		'😀 lantern',
		'\ud800',
		'x'.repeat(400),
		'a '.repeat(200),
		'%_',
		'&',
		"it's",
		'{}[]',
		'http://example.org/?q=1&r=2',
		'<b>lantern</b>',
		'１２３ ｆｕｌｌ',
		'مرحبا',
		'ลองค้นหา',
		'한국어'
	])('%j is answered', async (q) => {
		await addFile(ada, { texts: [harbour] });
		const { results } = await find(q);
		for (const { passage, highlights } of results) {
			for (const [start, end] of highlights)
				expect(start >= 0 && end > start && end <= passage.length).toBe(true);
		}
	});

	test('nothing at all is asked for again', async () => {
		await expect(find('')).rejects.toMatchObject({ code: 'search.query_missing' });
	});
});
