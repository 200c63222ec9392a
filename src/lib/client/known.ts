// Whether the person has a file already, asked before a byte of it is sent: its hash is made in a worker, and hashes are
// asked for together.
import type { StoredFile } from '#lib/shared/files.ts';
import { limits } from '#lib/shared/limits.ts';
import type { HashAnswer, HashRequest } from './hash-worker.ts';

export type Checked = { sha256: string | undefined; known: StoredFile | undefined };
export type Check = (file: File) => Promise<Checked>;
export type Hash = (file: File) => Promise<string | undefined>;

export type CheckOptions = {
	hash: Hash;
	ask: (hashes: readonly string[]) => Promise<StoredFile[]>;
	/** How long a hash waits for others. */
	gatherMs?: number;
};

export function createCheck({ hash, ask, gatherMs = 40 }: CheckOptions): Check {
	let gathered: { sha256: string; answer: (known: StoredFile | undefined) => void }[] = [];

	async function flush(): Promise<void> {
		const questions = gathered;
		gathered = [];
		// Not known is what the server would find out anyway, so a question that fails holds nothing up.
		const files = await ask([...new Set(questions.map(({ sha256 }) => sha256))]).catch(() => []);
		const byHash = new Map(files.map((file) => [file.sha256, file]));
		for (const { sha256, answer } of questions) answer(byHash.get(sha256));
	}

	function find(sha256: string): Promise<StoredFile | undefined> {
		const { promise, resolve } = Promise.withResolvers<StoredFile | undefined>();
		gathered.push({ sha256, answer: resolve });
		if (gathered.length >= limits.maxHashesAtOnce) void flush();
		else if (gathered.length === 1) setTimeout(() => gathered.length > 0 && void flush(), gatherMs);
		return promise;
	}

	return async (file) => {
		const sha256 = await hash(file);
		return { sha256, known: sha256 === undefined ? undefined : await find(sha256) };
	};
}

/** The worker is made with the first file. */
export function createHash(): Hash {
	const waiting = new Map<number, (sha256: string | undefined) => void>();
	let worker: Worker | undefined;
	let counter = 0;

	function open(): Worker {
		const opened = new Worker(new URL('./hash-worker.ts', import.meta.url), { type: 'module' });
		opened.addEventListener('message', ({ data }: MessageEvent<HashAnswer>) => {
			waiting.get(data.id)?.(data.sha256);
			waiting.delete(data.id);
		});
		// It could not be loaded: files are sent without a hash.
		opened.addEventListener('error', () => {
			for (const answer of waiting.values()) answer(undefined);
			waiting.clear();
		});
		return opened;
	}

	return (file) =>
		new Promise((resolve) => {
			worker ??= open();
			const request: HashRequest = { id: ++counter, file };
			waiting.set(request.id, resolve);
			worker.postMessage(request);
		});
}
