// Folders for the time of one file's work, all in one folder of this machine, on the disk that also keeps the files:
// /tmp is often small, or memory. Their names tell whose they are: what a killed process left is removed, and processes
// that share the folder leave each other's alone. Of another machine's processes nothing is known here: what they leave is
// theirs to remove, and gone after a week when that machine is.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

const weekMs = 7 * 24 * 3_600_000;

export type Scratch = ReturnType<typeof createScratch>;

export function createScratch(root: string) {
	// In a container every process has the number of its predecessor.
	const own = randomBytes(4).toString('hex');
	const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
	const isAbandoned = async (name: string): Promise<boolean> => {
		const [, host, pid, owner] = /^([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-/.exec(name) ?? [];
		if (pid === undefined) return false;
		if (host !== machine) return Date.now() - (await touchedAt(path.join(root, name))) > weekMs;
		return Number(pid) === process.pid ? owner !== own : !isAlive(Number(pid));
	};
	return {
		async use<T>(work: (scratchDir: string) => Promise<T>): Promise<T> {
			await mkdir(root, { recursive: true, mode: 0o700 });
			const scratchDir = await mkdtemp(path.join(root, `${machine}-${process.pid}-${own}-`));
			try {
				return await work(scratchDir);
			} finally {
				await rm(scratchDir, { recursive: true, force: true });
			}
		},

		/** The number of folders whose process is gone. */
		async removeAbandoned(): Promise<number> {
			await mkdir(root, { recursive: true, mode: 0o700 });
			let removed = 0;
			for (const name of await readdir(root)) {
				if (!(await isAbandoned(name))) continue;
				await rm(path.join(root, name), { recursive: true, force: true });
				removed++;
			}
			return removed;
		}
	};
}

/** One that is removed meanwhile counts as new. */
async function touchedAt(folder: string): Promise<number> {
	const found = await stat(folder).catch(() => undefined);
	return found?.mtimeMs ?? Date.now();
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		// Somebody else's process may not be signalled, but it is there.
		return error instanceof Error && 'code' in error && error.code === 'EPERM';
	}
}
