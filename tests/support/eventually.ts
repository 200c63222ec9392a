/** Runs `assertion` until it passes; its last failure is thrown when the time is up. */
export async function eventually<T>(
	assertion: () => T | Promise<T>,
	{ timeoutMs = 5_000, everyMs = 20 }: { timeoutMs?: number; everyMs?: number } = {}
): Promise<T> {
	const deadline = performance.now() + timeoutMs;
	for (;;) {
		try {
			return await assertion();
		} catch (error) {
			if (performance.now() > deadline) throw error;
		}
		await new Promise((resolve) => setTimeout(resolve, everyMs));
	}
}
