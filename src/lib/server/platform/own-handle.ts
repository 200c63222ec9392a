// Inside a transaction only its own handle may be used. Asking the database itself would wait, on a single session or
// an exhausted pool, for the transaction that waits for the answer; where it does not, it silently runs apart.
import { AsyncLocalStorage } from 'node:async_hooks';

export type OwnHandle = ReturnType<typeof createOwnHandle>;

export function createOwnHandle() {
	const inside = new AsyncLocalStorage<{ isOpen: boolean }>();
	return {
		refuseInside(): void {
			if (!inside.getStore()?.isOpen) return;
			throw new Error(
				'Inside a transaction, use its own handle: the database would wait for this transaction to end. ' +
					'Work that is meant to run apart from it must be started outside (AsyncLocalStorage.snapshot()).'
			);
		},
		/** Work that `fn` starts and does not wait for is free again as soon as `fn` has ended. */
		async run<T>(fn: () => Promise<T>): Promise<T> {
			const state = { isOpen: true };
			try {
				return await inside.run(state, fn);
			} finally {
				state.isOpen = false;
			}
		}
	};
}
