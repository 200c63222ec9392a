import { access, open, readdir } from 'node:fs/promises';
import path from 'node:path';

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

export async function exists(file: string): Promise<boolean> {
	const found = await ignoring(['ENOENT'], async () => {
		await access(file);
		return true;
	});
	return found ?? false;
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

/** Makes everything below `folder` durable. */
export async function syncTree(folder: string): Promise<void> {
	for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
		const handle = await open(path.join(entry.parentPath, entry.name));
		try {
			await handle.sync();
		} finally {
			await handle.close();
		}
	}
	await syncFolder(folder);
}
