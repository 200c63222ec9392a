/** First come, first served: `acquire` resolves when all earlier holders have called their release. */
export function createLock(): () => Promise<() => void> {
	let last: Promise<void> = Promise.resolve();
	return async () => {
		const before = last;
		const mine = Promise.withResolvers<void>();
		last = mine.promise;
		await before;
		return mine.resolve;
	};
}
