import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLog } from '../log.ts';
import { createPositions } from './positions.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('while the database does not answer, no questions to it pile up', async () => {
	const answer = Promise.withResolvers<void>();
	let asked = 0;
	let change = (): void => undefined;
	// Doubles: a queue in which one file waits, in a database that hangs.
	const positions = createPositions({
		files: { unfinished: async () => [], setPositions: async () => undefined },
		queue: {
			waiting: async () => {
				asked++;
				if (asked > 1) await answer.promise;
				return ['a file'];
			},
			onChange(listener) {
				change = listener;
				return () => undefined;
			}
		},
		rates: { all: async () => [] },
		countLanes: async () => 1,
		log: silentLog
	});
	positions.start();
	for (let second = 0; second < 60; second++) {
		change();
		await vi.advanceTimersByTimeAsync(1_000);
	}
	answer.resolve();
	await positions.stop();
	expect(asked).toBeLessThanOrEqual(3);
});
