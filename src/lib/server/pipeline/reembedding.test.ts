import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestFiles, type TestFiles } from '../../../../tests/support/files.ts';
import { type Look, lookAt, makePipeline, pagesOf } from '../../../../tests/support/pipeline.ts';
import { type ProviderDouble, startProviderDouble } from '../../../../tests/support/provider.ts';
import { makeStages } from '../../../../tests/support/stages.ts';
import { createLexicalEmbedder } from '../embedder/lexical.ts';
import { createProvider } from '../embedder/provider.ts';
import { handOverFiles } from '../files/hand-over.ts';
import { silentLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { createSearch } from '../search/search.ts';
import { createReembedding } from './reembedding.ts';

let test: TestFiles;
let ada: string;
let look: Look;
let double: ProviderDouble;

beforeEach(async () => {
	test = await openTestFiles();
	ada = await test.platform.addUser();
	look = lookAt(test, ada);
	double = await startProviderDouble({ isPoisoned: (text) => text.includes('poison') });
});
afterEach(async () => {
	await test.close();
	await double.close();
});

const running = new AbortController().signal;
const lexical = createLexicalEmbedder();

/** What a start with this provider does. */
function startWithProvider() {
	const provider = { apiKey: 'key', baseUrl: double.url, model: 'double', dimensions: undefined };
	const embedder = createProvider({ provider, metrics: createMetrics(), log: silentLog });
	const search = createSearch({ ...test.platform, embedder });
	const reembedding = createReembedding({ ...test.platform, queue: test.queue, embedder, log: silentLog });
	const pipeline = makePipeline(test, { stages: makeStages(), embedder });
	const work = () =>
		test.queue.work({
			run: (job, signal) => (job.kind === 'vectors' ? reembedding : pipeline).run(job, signal),
			giveUp: pipeline.giveUp
		});
	const found = async (q: string) => {
		const { results, mode } = await search.find(ada, { q });
		return { names: results.map(({ file }) => file.filename), mode };
	};
	return { reembedding, work, found };
}

async function completeLexically(content: string, filename: string): Promise<string> {
	const file = await test.addFile(ada, content, { filename });
	const pipeline = makePipeline(test, { stages: makeStages(), embedder: lexical });
	await pipeline.run({ fileId: file.id, attempt: 0, sizeBytes: 10, tries: 0 }, running);
	await test.platform.db.query('delete from pgboss.job');
	expect(await look.get(file.id)).toMatchObject({ status: 'completed' });
	return file.id;
}

async function models(): Promise<Record<string, number>> {
	const { rows } = await test.platform.db.query<{ model: string; count: number }>(
		'select model, count(*)::int as count from public.embeddings group by model'
	);
	return Object.fromEntries(rows.map(({ model, count }) => [model, count]));
}

describe('another embedding model', () => {
	it('takes over in the background: files stay completed and found, old vectors go at the end', async () => {
		const ids = [
			await completeLexically(`a lantern in the harbour\npoison\n${pagesOf(15)}`, 'one.txt'),
			await completeLexically('a lighthouse', 'two.txt'),
			await completeLexically('\n', 'empty.txt')
		];
		const before = await Promise.all(ids.map(look.get));
		const { reembedding, work, found } = startWithProvider();
		expect(await reembedding.start()).toBe(3);
		expect(await reembedding.start()).toBe(3);
		expect((await test.queue.waitingForVectors()).size).toBe(3);
		expect((await test.queue.stats()).waiting).toBe(3);
		expect(await found('lantern')).toEqual({ names: ['one.txt'], mode: 'hybrid' });
		await work();
		await eventually(async () => expect(Object.keys(await models())).toEqual(['double']), {
			timeoutMs: 20_000
		});
		// All passages but the one that the provider refuses.
		expect(await models()).toEqual({ double: 152 });
		expect(await Promise.all(ids.map(look.get))).toEqual(before);
		expect((await found('lantern')).names[0]).toBe('one.txt');
		expect((await found('poison')).names[0]).toBe('one.txt');
		expect(await reembedding.start()).toBe(0);
		const { model, tokens } = await test.files.details(ada, ids[1] ?? '');
		expect([model, tokens]).toEqual(['double', Math.ceil('a lighthouse'.length / 4)]);
	});

	it('pays nothing twice after a crash, and new files are complete under it', async () => {
		await completeLexically(pagesOf(30), 'one.txt');
		const first = startWithProvider();
		await first.reembedding.start();
		const [fileId = ''] = await test.queue.waitingForVectors();
		const stopping = new AbortController();
		double.failWhen(({ number }) => {
			if (number === 4) stopping.abort(new Error('the process ends'));
			return undefined;
		});
		const job = { fileId, attempt: 1, sizeBytes: 10, tries: 0 };
		await expect(first.reembedding.run(job, stopping.signal)).rejects.toThrow('the process ends');
		const { double: kept = 0 } = await models();
		expect(kept).toBeGreaterThan(0);
		const paid = double.paid.length;

		const second = startWithProvider();
		await second.reembedding.start();
		await second.work();
		const added = await test.addFile(ada, 'a new file');
		await look.untilItIs(added.id, { status: 'completed' });
		await eventually(async () => expect(await models()).toEqual({ double: 301 }), { timeoutMs: 20_000 });
		// What was not kept, the new file's passage, and one call to learn the dimensions.
		expect(double.paid.length - paid).toBe(301 - kept + 1);
		expect(await second.reembedding.start()).toBe(0);
	});

	it('waits for a provider that cannot be reached, and keeps the old vectors meanwhile', async () => {
		const id = await completeLexically('a lighthouse', 'two.txt');
		await double.close();
		const provider = { apiKey: 'key', baseUrl: double.url, model: 'double', dimensions: undefined };
		const tuning = { maxUnreachable: 2, firstDelayMs: 5 };
		const embedder = createProvider({ provider, metrics: createMetrics(), log: silentLog, tuning });
		const reembedding = createReembedding({ ...test.platform, queue: test.queue, embedder, log: silentLog });
		const job = { fileId: id, attempt: 1, sizeBytes: 10, tries: 0 };
		expect(await reembedding.run(job, running)).toEqual({ inSeconds: 5, tries: 1 });
		expect(await reembedding.run({ ...job, tries: 5 }, running)).toBeUndefined();
		expect(await models()).toEqual({ [lexical.model]: 1 });
		expect(await look.get(id)).toMatchObject({ status: 'completed' });
		double = await startProviderDouble();
	});

	it('finds a file that is handed over meanwhile at its new owner', async () => {
		const { db } = test.platform;
		const fileId = await completeLexically(pagesOf(15), 'one.txt');
		const bob = await test.platform.addUser();
		const { rows } = await db.query<{ id: string }>(
			`insert into public.projects (owner_id, name) values ($1, 'Handed over') returning id::text`,
			[ada]
		);
		const projectId = rows[0]?.id ?? '';
		await db.query('update public.files set project_id = $2 where id = $1', [fileId, projectId]);
		const handOver = () =>
			db.tx((tx) => handOverFiles(tx, { projectId, from: ada, to: bob, quotaBytes: 1e9 }));
		let calls = 0;
		const embedder = {
			...lexical,
			model: 'another',
			async embed(...asked: Parameters<typeof lexical.embed>) {
				if (++calls === 2) await handOver();
				return lexical.embed(...asked);
			}
		};
		const reembedding = createReembedding({ ...test.platform, queue: test.queue, embedder, log: silentLog });
		const job = { fileId, attempt: 1, sizeBytes: 10, tries: 0 };
		expect(await reembedding.run(job, running)).toEqual({ inSeconds: 5, tries: 0 });
		expect(await reembedding.run(job, running)).toBeUndefined();
		expect(await models()).toEqual({ another: 150 });
	});
});
