// Things that happen at the same time and stand or fall together: the first failure ends all of them, and whoever
// waits for them goes on when the last one has ended.
export type Scope = {
	/** Aborted by the first failure, with it as the reason, or from outside. */
	signal: AbortSignal;
	fail(error: unknown): void;
	/** Its failure ends the others; it never rejects, and resolves to undefined when it failed. */
	run<T>(work: () => Promise<T>): Promise<T | undefined>;
};

export function openScope(outer: AbortSignal): Scope {
	const controller = new AbortController();
	const fail = (error: unknown) => controller.abort(error);
	return {
		signal: AbortSignal.any([controller.signal, outer]),
		fail,
		run: async (work) => {
			try {
				return await work();
			} catch (error) {
				fail(error);
				return undefined;
			}
		}
	};
}
