// Stages three and four: pages are cut into passages as they come, and batches of passages are embedded while later
// pages are still being read.
import type { Warning } from '#lib/shared/files.ts';
import { createLane } from './lane.ts';
import { keepBatch } from './passages.ts';
import type { Chunk, ChunkPages, Page } from './stage.ts';
import type { Work } from './work.ts';
import { beginStage } from './stage-time.ts';

const atOnce = 4;
/** Batches that may wait for their turn: the reader of a long file is through, and its thread free, long before. */
const waiting = 64;
const batchChunks = 64;
const batchChars = 100_000;

/** The number of passages, when all of them are kept with their vectors. */
export async function embedPages(work: Work, pages: AsyncIterable<Page>, cut: ChunkPages): Promise<number> {
	const { scope, progress, metrics } = work;
	const stop = beginStage(metrics, 'embedding');
	const lane = createLane({ atOnce, waiting, signal: scope.signal, fail: scope.fail });
	const onWait = (seconds: number) => progress.wait(seconds);
	const embed = async (texts: string[]) => {
		let tokens = 0;
		const onTokens = (count: number) => (tokens += count);
		const vectors = await work.embedder.embed(texts, { signal: scope.signal, onWait, onTokens });
		return { vectors, tokens };
	};
	const passages = {
		...work,
		model: work.embedder.model,
		embed,
		onRefused: (chunk: Chunk) => work.warn(refused(chunk)),
		oneByOne: createOrder()
	};
	const turn = createTurns();
	let count = 0;
	let kept = 0;
	const tell = () => {
		const done = { unit: 'chunks', done: kept, total: count } as const;
		progress.tell('embedding', done, (kept / count) * progress.share('extraction'));
	};
	const push = (batch: readonly Chunk[]) => {
		const wait = turn(batch);
		return lane.push(async () => {
			await wait.forOthers();
			await keepBatch(passages, batch).finally(wait.done);
			kept += batch.length;
			tell();
		});
	};
	try {
		for await (const batch of inBatches(cut(pages))) {
			count += batch.length;
			progress.tell('chunking', { unit: 'chunks', done: count, total: null }, progress.share('extraction'));
			await push(batch);
		}
		progress.finish('chunking');
		if (count > 0) tell();
	} catch (error) {
		scope.fail(error);
	}
	await lane.settled();
	scope.signal.throwIfAborted();
	progress.finish('embedding');
	stop();
	return count;
}

function refused({ page }: Chunk): Warning {
	const message = 'The model provider refused some passages; they are found by their words only.';
	return { code: 'embedding.rejected', message, ...(page !== null && { pages: [page] }) };
}

async function* inBatches(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk[]> {
	let batch: Chunk[] = [];
	let chars = 0;
	for await (const chunk of chunks) {
		batch.push(chunk);
		chars += chunk.text.length;
		if (batch.length < batchChunks && chars < batchChars) continue;
		yield batch;
		batch = [];
		chars = 0;
	}
	if (batch.length > 0) yield batch;
}

/** The same text in two batches at once would be paid twice: the later one waits until the earlier is kept. */
function createTurns() {
	const owners = new Map<string, Promise<void>>();
	return (batch: readonly Chunk[]) => {
		const { promise, resolve } = Promise.withResolvers<void>();
		const others = new Set<Promise<void>>();
		for (const { hash } of batch) {
			const owner = owners.get(hash);
			if (owner) others.add(owner);
			else owners.set(hash, promise);
		}
		others.delete(promise);
		return { forOthers: () => Promise.all(others), done: resolve };
	};
}

/** What is given to it begins when all before it have ended. */
function createOrder() {
	let last: Promise<unknown> = Promise.resolve();
	return <T>(write: () => Promise<T>): Promise<T> => {
		const turn = last.then(write);
		last = turn.catch(() => undefined); // told to whoever asked for it
		return turn;
	};
}
