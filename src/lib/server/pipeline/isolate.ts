// Parsing and image work, away from the thread that serves people: a pool of worker threads in which each task has a
// budget of time and memory, and whose death is one task's typed failure.
//
// A task's worker file is made with serve() (work/serve.ts). The two sides talk over one MessagePort: the worker
// sends items, ticks and its end; this side sends credits. Without a credit the worker waits, so a slow reader
// slows the worker instead of filling memory.
import { MessageChannel, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { AppError, messageOf, problem } from '#lib/server/errors.ts';
import type { Log } from '#lib/server/log.ts';
import { openInbox } from './inbox.ts';
import type { Tick } from './stage.ts';
import { createWatch } from './watch.ts';
import type { Order } from './work/serve.ts';

export type Task<Input> = {
	/** A worker file: `new URL('./work/x.ts', import.meta.url)`. */
	file: URL;
	input: Input;
	signal: AbortSignal;
	onTick?: (tick: Tick) => void;
	/** Longest silence of a worker that has nothing to wait for. */
	patienceMs: number;
	/** Longest time at work in all, however busy the worker is. */
	budgetMs: number;
	/** Whose file it is. */
	owner?: string | undefined;
};

export type Isolate = ReturnType<typeof createIsolate>;

export type IsolateOptions = {
	threads: number;
	/** Threads that stay when there is nothing to do: they answer the next file at once. */
	warm?: number;
	/** A worker file that makes a thread ready: while something long is at work, threads for one more file stand by. */
	spare?: URL;
	log: Log;
	/** JavaScript heap of one worker. */
	heapMb?: number;
	/** Heap and buffers of one worker together. */
	taskMb?: number;
	/** What all tasks together may add to the process, native memory included. */
	processMb?: number;
	idleMs?: number;
};

/** Items that may be under way to a reader who has not asked for them yet. */
const credits = 8;
/** A file is compressed and read at once. */
const filesThreads = 2;
/** What takes no longer keeps nobody waiting. */
const longMs = 300;
const crashTask = new URL('./work/crash.ts', import.meta.url);
const crashMs = 5000;

export function createIsolate(options: IsolateOptions) {
	const {
		threads,
		warm = 1,
		spare,
		log,
		heapMb = 512,
		taskMb = 1024,
		processMb = 3072,
		idleMs = 30_000
	} = options;
	const pool = new Piscina({
		// With one that stays, a queue behind killed workers moves on.
		minThreads: warm,
		maxThreads: threads,
		idleTimeout: idleMs,
		resourceLimits: { maxOldGenerationSizeMb: heapMb },
		// A worker that sleeps in Atomics.wait answers nobody, not even the watch.
		atomics: 'disabled',
		// Streams and requests come first when cores are scarce.
		niceIncrement: 5,
		execArgv: [],
		// Parsers of strangers' files see no key and no password.
		env: {}
	});
	pool.on('error', (error: unknown) => log.warn({ err: error }, 'an idle worker died'));
	const watch = createWatch({ taskMb, processMb, findWorker: (id) => findWorker(pool.threads, id) });
	const closing = new AbortController();
	let active = 0;
	/** Two threads without work, for the next file: to begin takes a thread longer than a small file takes in it. */
	const standBy = (): void => {
		if (!spare || pool.threads.length - active >= filesThreads) return;
		for (let i = 0; i < Math.min(filesThreads, threads - active); i++) {
			pool.run(null, { filename: spare.href, signal: closing.signal }).catch((error: unknown) => {
				if (!closing.signal.aborted) log.warn({ err: error }, 'no thread stands by');
			});
		}
	};
	async function* start<Input, Item, Result>(task: Task<Input>): AsyncGenerator<Item, Result, void> {
		const signal = AbortSignal.any([task.signal, closing.signal]);
		const timer = setTimeout(standBy, longMs).unref();
		active++;
		try {
			return yield* stream<Input, Item, Result>(pool, watch, { ...task, signal });
		} finally {
			active--;
			clearTimeout(timer);
		}
	}
	const run = async <Input, Result>(task: Task<Input>): Promise<Result> => {
		const items = start<Input, never, Result>(task);
		const end = await items.next();
		if (!end.done) throw problem('server.unexpected', { message: 'A task without items sent one.' });
		return end.value;
	};
	return {
		/** Ending the iteration early, or aborting, kills the worker at once. The generator returns the task's result. */
		stream: start,
		run,
		/** A worker dies on request: one at work for this owner, else one without work; never another owner's. */
		async crash(owner: string): Promise<'busy' | 'idle'> {
			if (watch.crash(owner)) return 'busy';
			const signal = AbortSignal.timeout(crashMs);
			try {
				return await run({ file: crashTask, input: null, signal, patienceMs: crashMs, budgetMs: crashMs });
			} catch (error) {
				if (error instanceof AppError && error.code === 'stage.crashed') return 'idle';
				throw signal.aborted ? problem('request.too_many') : error;
			}
		},
		async close(): Promise<void> {
			watch.close();
			closing.abort(problem('server.stopping'));
			await pool.destroy();
		}
	};
}

async function* stream<Input, Item, Result>(
	pool: Piscina,
	watch: ReturnType<typeof createWatch>,
	task: Task<Input>
): AsyncGenerator<Item, Result, void> {
	task.signal.throwIfAborted();
	const { port1, port2 } = new MessageChannel();
	const killer = new AbortController();
	const { patienceMs, budgetMs, owner } = task;
	const watched = watch.add({ patienceMs, budgetMs, owner, kill: (reason) => killer.abort(reason) });
	const inbox = openInbox<Item, Result>(port1, { credits, watched, onTick: task.onTick });
	const signal = AbortSignal.any([task.signal, killer.signal]);
	const order: Order<Input> = { input: task.input, port: port2, credits };
	const done = pool
		.run(order, { filename: task.file.href, transferList: [port2], signal })
		.catch((error: unknown) => inbox.fail(signal.aborted ? signal.reason : deathOf(error)));
	let hasEnded = false;
	try {
		for (;;) {
			const message = await inbox.next();
			if (message.kind === 'end') {
				hasEnded = true;
				return message.result;
			}
			yield message.item;
			inbox.release();
		}
	} finally {
		// A worker that has said its end is healthy: let it finish, it takes the next task.
		if (!hasEnded) killer.abort();
		await done;
		watched.remove();
		port1.close();
	}
}

function deathOf(error: unknown): unknown {
	const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
	if (code === 'ERR_WORKER_OUT_OF_MEMORY') return problem('stage.out_of_memory', { cause: error });
	return problem('stage.crashed', { cause: error, details: { reason: messageOf(error) } });
}

function findWorker(workers: readonly Worker[], threadId: number): Worker | undefined {
	return workers.find((worker) => worker.threadId === threadId);
}
