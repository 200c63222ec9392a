// The reading end of a task's port: messages in order, one reader, credits given back one by one.
import type { MessagePort } from 'node:worker_threads';
import { problem } from '#lib/server/errors.ts';
import type { Tick } from './stage.ts';
import type { Watched } from './watch.ts';
import type { Report } from './work/serve.ts';

type InboxOptions = { credits: number; watched: Watched; onTick?: ((tick: Tick) => void) | undefined };
type Message<Item, Result> = { kind: 'item'; item: Item } | { kind: 'end'; result: Result };

export function openInbox<Item, Result>(port: MessagePort, { credits, watched, onTick }: InboxOptions) {
	const waiting: Message<Item, Result>[] = [];
	let failure: { error: unknown } | undefined;
	let wake: (() => void) | undefined;
	let unreleased = 0;

	const accept = (report: Report<Item, Result>): void => {
		watched.sawProgress();
		if (report.kind === 'started') return watched.start(report.threadId);
		if (report.kind === 'alive') return;
		if (report.kind === 'tick') return onTick?.(report.tick);
		if (report.kind === 'failed') return fail(problem(report.code, report));
		if (report.kind === 'item') unreleased++;
		if (unreleased >= credits) watched.pause();
		waiting.push(report);
		wake?.();
	};
	const fail = (error: unknown): void => {
		failure ??= { error };
		wake?.();
	};
	port.on('message', accept);

	return {
		fail,
		async next(): Promise<Message<Item, Result>> {
			for (;;) {
				const message = waiting.shift();
				if (message) return message;
				if (failure) throw failure.error;
				await new Promise<void>((resolve) => (wake = resolve));
			}
		},
		/** The reader is done with an item: the worker may send another. */
		release(): void {
			unreleased--;
			watched.resume();
			port.postMessage(1);
		}
	};
}
