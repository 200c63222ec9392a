// Folders for the time of one file's work, all in one folder of this machine, on the disk that also keeps the files:
// /tmp is often small, or memory. Their names tell whose they are: what a killed process left is removed, and processes
// that share the folder leave each other's alone.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

export type Scratch = ReturnType<typeof createScratch>;

export function createScratch(root: string) {
	// In a container every process has the number of its predecessor.
	const own = randomBytes(4).toString('hex');
	const isAbandoned = (name: string): boolean => {
		const [, pid, owner] = /^(\d+)-([0-9a-f]{8})-/.exec(name) ?? [];
		if (pid === undefined) return false;
		return Number(pid) === process.pid ? owner !== own : !isAlive(Number(pid));
	};
	return {
		async use<T>(work: (scratchDir: string) => Promise<T>): Promise<T> {
			await mkdir(root, { recursive: true, mode: 0o700 });
			const scratchDir = await mkdtemp(path.join(root, `${process.pid}-${own}-`));
			try {
				return await work(scratchDir);
			} finally {
				await rm(scratchDir, { recursive: true, force: true });
			}
		},

		/** The number of folders whose process is gone. */
		async removeAbandoned(): Promise<number> {
			await mkdir(root, { recursive: true, mode: 0o700 });
			const abandoned = (await readdir(root)).filter(isAbandoned);
			for (const name of abandoned) await rm(path.join(root, name), { recursive: true, force: true });
			return abandoned.length;
		}
	};
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		// Somebody else's process may not be signalled, but it is there.
		return error instanceof Error && 'code' in error && error.code === 'EPERM';
	}
}
