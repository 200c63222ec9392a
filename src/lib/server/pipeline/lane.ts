// Tasks that run a few at a time, with a bounded number waiting: whoever brings more of them waits too.
export type Lane = {
	/** Resolves when there is room for another one. */
	push(task: () => Promise<void>): Promise<void>;
	/** Resolves when all have ended, well or not. */
	settled(): Promise<void>;
};

export type LaneOptions = {
	atOnce: number;
	waiting: number;
	signal: AbortSignal;
	fail(error: unknown): void;
};

/** After the first failure, told to `fail`, or an abort, nothing new is begun. */
export function createLane({ atOnce, waiting, signal, fail }: LaneOptions): Lane {
	const queue: (() => Promise<void>)[] = [];
	const running = new Set<Promise<void>>();

	function begin(): void {
		while (running.size < atOnce && !signal.aborted) {
			const task = queue.shift();
			if (!task) return;
			const ended = task()
				.catch(fail)
				.then(() => {
					running.delete(ended);
					begin();
				});
			running.add(ended);
		}
	}

	return {
		async push(task) {
			queue.push(task);
			begin();
			while (queue.length > waiting && running.size > 0) await Promise.race(running);
			signal.throwIfAborted();
		},
		async settled() {
			while (running.size > 0) await Promise.all(running);
		}
	};
}
