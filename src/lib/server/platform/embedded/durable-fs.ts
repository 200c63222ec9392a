// PGlite's file system for a folder, with fsync. As it comes, PGlite starts Postgres with fsync off, and its two
// calls for it, fsync and fdatasync, do nothing on a folder. With this file system and `durableStart` Postgres syncs
// as it does on a server: its log before a commit is answered and before pages that depend on it, pages at a checkpoint.
import { fsyncSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

const ioError = 29;

export const durableStart = [
	...PGlite.defaultStartParams.filter((one) => one !== '-F'),
	// The default, fdatasync, is the call that can not be given a meaning.
	...['-c', 'wal_sync_method=fsync'],
	// Nothing shrinks the log but our own checkpoints (maintenance.ts).
	...['-c', 'min_wal_size=32MB'],
	// In WebAssembly all of it is taken at the start, needed or not; what is not in it is in the system's own cache.
	...['-c', 'shared_buffers=32MB']
];

type Init = NodeFS['init'];

export class DurableFs extends NodeFS {
	readonly #sync: (fd: number) => void;
	readonly #onAbort: () => void;

	constructor(
		folder: string,
		{ onAbort, sync = fsyncSync }: { onAbort: () => void; sync?: (fd: number) => void }
	) {
		super(folder);
		this.#onAbort = onAbort;
		this.#sync = sync;
	}

	override async init(...[pg, options]: Parameters<Init>): ReturnType<Init> {
		const { emscriptenOpts } = await super.init(pg, options);
		const addSync: NonNullable<typeof emscriptenOpts.preRun>[number] = (module) => {
			const folders: unknown = module.FS.filesystems.NODEFS;
			if (!hasStreamOps(folders))
				throw new Error('This version of PGlite keeps its files in a way we do not know.');
			folders.stream_ops.fsync = (stream) => this.#answer(stream.nfd);
		};
		const preRun = [...(emscriptenOpts.preRun ?? []), addSync];
		return { emscriptenOpts: { ...emscriptenOpts, preRun, onAbort: this.#onAbort } };
	}

	/** An exception would be lost inside of WebAssembly; the number makes Postgres panic, as it should. */
	#answer(fd: number): number {
		try {
			this.#sync(fd);
			return 0;
		} catch {
			return ioError;
		}
	}
}

type StreamOps = { stream_ops: { fsync?: (stream: { nfd: number }) => number } };

function hasStreamOps(value: unknown): value is StreamOps {
	return typeof value === 'object' && value !== null && 'stream_ops' in value;
}
