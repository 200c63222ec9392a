import { open } from 'node:fs/promises';

/** Makes the names in a folder durable: a renamed file can be gone after a power cut until this is done. */
export async function syncFolder(folder: string): Promise<void> {
	const handle = await open(folder);
	try {
		// Windows has no such thing; there the rename itself is journalled.
		await ignoring(['EPERM', 'EINVAL', 'EISDIR'], () => handle.sync());
	} finally {
		await handle.close();
	}
}

/** undefined instead of the named system errors. */
export async function ignoring<T>(codes: readonly string[], work: () => Promise<T>): Promise<T | undefined> {
	try {
		return await work();
	} catch (error) {
		if (error instanceof Error && 'code' in error && codes.includes(String(error.code))) return undefined;
		throw error;
	}
}
