// The bytes of unfinished uploads: one file per upload in a folder of its own, which only grows. Its size is the
// upload's offset. An offset is told only when everything before it is on the disk: whoever hears it forgets those bytes.
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { problem } from '../errors.ts';
import { ignoring, syncFolder } from '../platform/embedded/durable.ts';
import type { Look, Room } from '../room.ts';

export type Growth = {
	from: number;
	content: Readable;
	/** Called while the file is as long as it says, after each piece; may throw to refuse all of it. */
	onGrown(bytes: number): Promise<void>;
	/** Longest time without a byte. */
	stallMs: number;
};

/** How long the rest of what was refused is read, so that its sender can see the answer. */
const drainMs = 10_000;

export type Partials = ReturnType<typeof createPartials>;

export function createPartials(folder: string, room: Room) {
	const place = (id: string) => path.join(folder, id);

	return {
		/** `bytes`: how long it will be. Until it is kept, it is there twice. */
		async create(id: string, bytes: number): Promise<void> {
			await mkdir(folder, { recursive: true, mode: 0o700 });
			await room.require(2 * bytes);
			await (await open(place(id), 'wx')).close();
			await syncFolder(folder);
		},

		/** On the disk; undefined when there is no such file. */
		async size(id: string): Promise<number | undefined> {
			const handle = await ignoring(['ENOENT'], () => open(place(id), 'r+'));
			return handle && closing(handle, () => syncedSize(handle));
		},

		/** The new size. What has arrived stays, also when the sender breaks off. */
		async append(id: string, growth: Growth): Promise<number> {
			const handle = await openOwn(place(id), 'r+');
			return closing(handle, async () => {
				try {
					await write(handle, growth, room.watch());
				} finally {
					await handle.sync();
				}
				return (await handle.stat()).size;
			});
		},

		async head(id: string, bytes: number): Promise<Buffer> {
			const handle = await openOwn(place(id), 'r');
			return closing(handle, async () => {
				const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
				return buffer.subarray(0, bytesRead);
			});
		},

		async read(id: string): Promise<Readable> {
			return (await openOwn(place(id), 'r')).createReadStream();
		},

		remove: (id: string): Promise<void> => rm(place(id), { force: true }),

		/** Names of files that nothing was written to for so long. */
		async idle(minAgeMs: number): Promise<string[]> {
			const names = (await ignoring(['ENOENT'], () => readdir(folder))) ?? [];
			const idle = await Promise.all(names.map((name) => isOlder(place(name), minAgeMs)));
			return names.filter((_, i) => idle[i]);
		}
	};
}

async function write(handle: FileHandle, growth: Growth, look: Look): Promise<void> {
	const { from, content, onGrown, stallMs } = growth;
	const watch = watchForStalls(content, stallMs);
	let at = from;
	let refused: { error: unknown; at: number } | undefined;
	try {
		for await (const chunk of content as AsyncIterable<Buffer>) {
			if (refused) {
				if (performance.now() - refused.at > drainMs) break;
				continue;
			}
			watch.pause();
			try {
				await look(chunk.length);
				await writeAll(handle, chunk, at);
				at += chunk.length;
				await onGrown(at);
			} catch (error) {
				refused = { error, at: performance.now() };
			}
			watch.heard();
		}
	} finally {
		watch.stop();
	}
	if (refused) throw refused.error;
}

/** A system may take less than it is given. */
async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
	for (let done = 0; done < bytes.length;)
		done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}

/** Our own disk may be slow; it is the sender's silence that counts. */
function watchForStalls(content: Readable, stallMs: number) {
	let lastAt = performance.now();
	const timer = setInterval(() => {
		if (performance.now() - lastAt > stallMs) content.destroy(problem('upload.interrupted'));
	}, stallMs / 10);
	return {
		pause: () => void (lastAt = Infinity),
		heard: () => void (lastAt = performance.now()),
		stop: () => clearInterval(timer)
	};
}

async function syncedSize(handle: FileHandle): Promise<number> {
	await handle.sync();
	return (await handle.stat()).size;
}

/** Its owner may stop it, or delete the account, while somebody still sends. */
async function openOwn(file: string, flags: 'r' | 'r+'): Promise<FileHandle> {
	const handle = await ignoring(['ENOENT'], () => open(file, flags));
	if (!handle) throw problem('upload.not_found');
	return handle;
}

async function closing<T>(handle: FileHandle, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} finally {
		await handle.close();
	}
}

async function isOlder(file: string, minAgeMs: number): Promise<boolean> {
	const info = await ignoring(['ENOENT'], () => stat(file));
	return info !== undefined && Date.now() - info.mtimeMs > minAgeMs;
}
