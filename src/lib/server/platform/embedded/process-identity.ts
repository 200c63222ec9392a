// Who holds a lock: a process id alone is reused sooner or later, so the moment the process began belongs to it.
import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { ignoring } from './durable.ts';

const run = promisify(execFile);

export type ProcessIdentity = {
	pid: number;
	/** When it began, in words that differ after a restart of the machine; '' where that cannot be told. */
	began: string;
	/** The machine, or container, in which `pid` means something. */
	place: string;
};

export async function ownIdentity(): Promise<ProcessIdentity> {
	return { pid: process.pid, began: await readBegin(process.pid), place: await readPlace() };
}

/** Only for a process of this place. */
export async function isAlive({ pid, began }: ProcessIdentity): Promise<boolean> {
	if (!exists(pid)) return false;
	const now = await readBegin(pid);
	return now === began || now === '' || began === '';
}

function exists(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		// EPERM: it is there, and somebody else's.
		return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
	}
}

async function readBegin(pid: number): Promise<string> {
	const stat = await readIfThere(`/proc/${pid}/stat`);
	if (stat === undefined) return askPs(pid);
	// The name in parentheses may hold anything; after it come the state and, 19 fields on, the ticks since the boot.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	if (fields[0] === 'Z' || fields[0] === 'X') return 'ended, and waiting to be noticed';
	const boot = (await readIfThere('/proc/sys/kernel/random/boot_id')) ?? '';
	return `${boot.trim()} ${fields[19]}`;
}

/** Where there is no /proc (macOS); nothing where there is no ps either. */
async function askPs(pid: number): Promise<string> {
	// Two processes have to read the same words.
	const env = { TZ: 'UTC', LC_ALL: 'C' };
	const answer = await run('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { env }).catch(() => undefined);
	return answer?.stdout.trim() ?? '';
}

async function readPlace(): Promise<string> {
	const namespace = await ignoring(['ENOENT', 'EACCES', 'EINVAL', 'UNKNOWN'], () =>
		readlink('/proc/self/ns/pid')
	);
	return `${hostname()} ${namespace ?? ''}`.trim();
}

function readIfThere(file: string): Promise<string | undefined> {
	return ignoring(['ENOENT', 'ESRCH', 'EACCES'], () => readFile(file, 'utf8'));
}
