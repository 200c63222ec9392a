// The worker's side of isolate.ts: turns a function into a file's default export that the pool can run.
import { inspect } from 'node:util';
import { type MessagePort, threadId } from 'node:worker_threads';
import { AppError, messageOf } from '#lib/server/errors.ts';
import type { ErrorCode } from '#lib/shared/errors.ts';
import type { Tick } from '../stage.ts';

export type Order<Input> = { input: Input; port: MessagePort; credits: number };

export type Report<Item, Result> =
	| { kind: 'started'; threadId: number }
	| { kind: 'alive' }
	| { kind: 'tick'; tick: Tick }
	| { kind: 'item'; item: Item }
	| { kind: 'end'; result: Result }
	| {
			kind: 'failed';
			code: ErrorCode;
			message?: string;
			details: Record<string, unknown> | undefined;
			cause: string;
	  };

export type Work<Input, Item> = {
	input: Input;
	/** Waits while the reader is behind. */
	emit(item: Item): Promise<void>;
	tick(tick: Tick): void;
	/** Progress that has no number, so that the watch does not think the task hangs. */
	alive(): void;
};

const tickEveryMs = 50;

export function serve<Input, Item, Result>(work: (context: Work<Input, Item>) => Promise<Result>) {
	return async ({ input, port, credits }: Order<Input>): Promise<void> => {
		const send = (report: Report<Item, Result>) => port.postMessage(report);
		send({ kind: 'started', threadId });
		try {
			const result = await work({
				input,
				emit: emitter(port, credits),
				tick: ticker(send),
				alive: () => send({ kind: 'alive' })
			});
			send({ kind: 'end', result });
		} catch (error) {
			send(failed(error));
		} finally {
			port.close();
		}
	};
}

function emitter(port: MessagePort, credits: number): (item: unknown) => Promise<void> {
	let left = credits;
	let wake: (() => void) | undefined;
	port.on('message', () => {
		left++;
		wake?.();
	});
	return async (item) => {
		while (left === 0) await new Promise<void>((resolve) => (wake = resolve));
		left--;
		port.postMessage({ kind: 'item', item });
	};
}

function ticker(send: (report: { kind: 'tick'; tick: Tick }) => void): (tick: Tick) => void {
	let last = 0;
	return (tick) => {
		const now = Date.now();
		if (now - last < tickEveryMs && tick.done !== tick.total) return;
		last = now;
		send({ kind: 'tick', tick });
	};
}

/** Errors lose their code on the way between threads; plain objects do not. */
function failed(error: unknown): Report<never, never> {
	const cause = inspect(error instanceof AppError ? (error.cause ?? error) : error, { depth: 2 });
	if (error instanceof AppError) {
		return { kind: 'failed', code: error.code, message: error.message, details: error.details, cause };
	}
	return { kind: 'failed', code: 'stage.crashed', details: { reason: messageOf(error) }, cause };
}
