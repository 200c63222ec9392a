// Requests to a worker thread and their answers. When the thread dies, everything that waits for it fails at once.
import { Worker } from 'node:worker_threads';
import { DbError } from '../db-error.ts';
import type { Answer, News, Request, WorkerOptions } from './pglite-protocol.ts';

export type WorkerNews = Exclude<News, { news: 'broken' }>;

type Waiting = { resolve: (value: unknown) => void; reject: (error: Error) => void; calledAt: Error };

export class WorkerCalls {
	readonly #worker: Worker;
	readonly #waiting = new Map<number, Waiting>();
	readonly #onNews: (news: WorkerNews) => void;
	readonly #onCrash: (error: Error) => void;
	#lastId = 0;
	/** Why nothing can be asked any more. */
	#end: Error | undefined;
	#isClosed = false;

	constructor(options: WorkerOptions, onNews: (news: WorkerNews) => void, onCrash: (error: Error) => void) {
		this.#onNews = onNews;
		this.#onCrash = onCrash;
		this.#worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: options });
		this.#worker.on('message', (message: Answer | News) => this.#hear(message));
		this.#worker.on('error', (error) => this.#crash(error));
		this.#worker.on('exit', (code) => this.#crash(new Error(`its thread ended with code ${code}`)));
	}

	call(request: Request): Promise<unknown> {
		if (this.#end) return Promise.reject(this.#end);
		const id = ++this.#lastId;
		// The answer arrives on an empty stack; only here is it known who asked.
		const calledAt = new Error();
		return new Promise((resolve, reject) => {
			this.#worker.postMessage({ ...request, id });
			this.#waiting.set(id, { resolve, reject, calledAt });
		});
	}

	async close(): Promise<void> {
		if (this.#end) return;
		const closed = this.call({ op: 'close' });
		this.#end = new Error('The database is closed.');
		await closed;
		this.#isClosed = true;
		await this.#worker.terminate();
	}

	#hear(message: Answer | News): void {
		if ('news' in message) {
			return message.news === 'broken' ? this.#crash(new Error(message.reason)) : this.#onNews(message);
		}
		const waiting = this.#waiting.get(message.id);
		this.#waiting.delete(message.id);
		if (!waiting) return;
		if ('value' in message) return waiting.resolve(message.value);
		const error = new DbError(message.error);
		error.stack = `${error.name}: ${error.message}\n${waiting.calledAt.stack?.split('\n').slice(2).join('\n')}`;
		waiting.reject(error);
	}

	#crash(cause: Error): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#end = new Error(`The database has stopped: ${cause.message}`, { cause });
		for (const { reject } of this.#waiting.values()) reject(this.#end);
		this.#waiting.clear();
		this.#onCrash(this.#end);
	}
}
