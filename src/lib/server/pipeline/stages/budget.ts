/** Hundreds of times what an ordinary file takes: it ends only what would otherwise hold a worker for hours. */
export function budgetMs(sizeBytes: number): number {
	return 300_000 + (10_000 * sizeBytes) / 1024 ** 2;
}
