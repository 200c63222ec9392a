import { rm } from 'node:fs/promises';

/** Threads and processes of a server that was killed may write for a moment longer. */
export function removeFolder(folder: string): Promise<void> {
	return rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
