// Large uploads that this person began from here and that have not ended, each in a file of its own: several commands at
// once do not disturb each other. The same file of the same size and time goes on where it was.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';

const Entry = v.pipe(
	v.string(),
	v.parseJson(),
	v.object({
		/** Of the upload on its server. */
		path: v.pipe(v.string(), v.regex(/^\/api\/uploads\/[\w-]+$/)),
		/** Of the process that sends it. */
		pid: v.number()
	})
);

/** The server forgets them after a day. */
const keptMs = 86_400_000;
const keptMost = 200;

export type Fingerprint = {
	server: string;
	/** That it goes into. */
	project?: string | undefined;
	place: string;
	folder: string;
	size: number;
	modified: number;
};
export type Place = ReturnType<Begun['placeOf']>;
export type Begun = ReturnType<typeof openBegun>;

export function openBegun(folder: string) {
	/** A file that is given twice is two uploads, and so is one that another process sends. */
	const inUse = new Set<string>();
	const open = new Set<string>();

	return {
		/** Those that were begun here and have not ended. */
		get count(): number {
			return open.size;
		},

		placeOf(print: Fingerprint) {
			const file = path.join(folder, `${hashOf(print)}.json`);
			const found = read(file);
			const isFree = !inUse.has(file) && !(found && isSentByAnother(found.pid));
			if (isFree) inUse.add(file);
			return {
				begun: isFree ? found?.path : undefined,
				put(path: string): void {
					open.add(file);
					if (isFree) write(file, { path, pid: process.pid });
				},
				forget(): void {
					open.delete(file);
					if (isFree) rmSync(file, { force: true });
				},
				close: () => void (isFree && inUse.delete(file))
			};
		}
	};

	function write(file: string, entry: v.InferOutput<typeof Entry>): void {
		try {
			mkdirSync(folder, { recursive: true, mode: 0o700 });
			clean();
			const temporary = `${file}.${process.pid}`;
			writeFileSync(temporary, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
			renameSync(temporary, file);
		} catch {
			// A home that cannot be written to: the upload then goes on only while this command runs.
		}
	}

	/** What has expired, and the oldest of too many. */
	function clean(): void {
		const entries = readdirSync(folder).flatMap((name) => {
			const file = path.join(folder, name);
			const at = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
			return at === undefined ? [] : [{ file, at }];
		});
		const newest = entries.toSorted((a, b) => b.at - a.at);
		for (const [index, { file, at }] of newest.entries())
			if (index >= keptMost - 1 || Date.now() - at > keptMs) rmSync(file, { force: true });
	}
}

export function stateFolder(env: Record<string, string | undefined>): string {
	const windows = process.platform === 'win32' ? env.LOCALAPPDATA : undefined;
	const folder = env.XDG_STATE_HOME || windows || path.join(env.HOME || homedir(), '.local/state');
	return path.join(folder, 'asura', 'uploads');
}

function read(file: string) {
	const at = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
	if (at === undefined || Date.now() - at > keptMs) return undefined;
	const entry = v.safeParse(Entry, readFileSync(file, 'utf8'));
	return entry.success ? entry.output : undefined;
}

function hashOf({ server, project, place, folder, size, modified }: Fingerprint): string {
	return createHash('sha256')
		.update(JSON.stringify([server, place, folder, size, modified, ...(project ? [project] : [])]))
		.digest('hex');
}

function isSentByAnother(pid: number): boolean {
	if (pid === process.pid) return false;
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		// It has ended, or its number belongs to somebody else by now.
		return false;
	}
}
