// Folders for the time of one file's work. Their names tell whose they are: what a killed process left is removed.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const prefix = 'asura-work-';

export async function withScratch<T>(work: (scratchDir: string) => Promise<T>): Promise<T> {
	const scratchDir = await mkdtemp(path.join(tmpdir(), `${prefix}${process.pid}-`));
	try {
		return await work(scratchDir);
	} finally {
		await rm(scratchDir, { recursive: true, force: true });
	}
}

/** The number of folders whose process is gone. */
export async function removeAbandonedScratch(): Promise<number> {
	const abandoned = (await readdir(tmpdir())).filter((name) => {
		const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
		return pid !== undefined && !isAlive(Number(pid));
	});
	for (const name of abandoned) await rm(path.join(tmpdir(), name), { recursive: true, force: true });
	return abandoned.length;
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		// Somebody else's process may not be signalled, but it is there.
		return error instanceof Error && 'code' in error && error.code === 'EPERM';
	}
}
