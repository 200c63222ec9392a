// What the arguments of `asura upload` mean: files, folders with everything below them, and - for standard input.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from './exit.ts';
import type { Source } from './send.ts';

/** In order; hidden files and links inside of folders are left out. */
export async function* sourcesOf(
	given: readonly string[],
	{ folder, stdinName }: { folder: string; stdinName: string }
): AsyncGenerator<Source> {
	for (const one of given) {
		if (one === '-') yield fromPipe(stdinName);
		else yield* below(path.resolve(folder, one), one);
	}
}

async function* below(place: string, given: string): AsyncGenerator<Source> {
	const found = await stat(place).catch((cause: NodeJS.ErrnoException) => {
		throw new UsageError(`${given}: ${cause.code === 'ENOENT' ? 'there is no such file' : cause.message}.`);
	});
	if (found.isFile()) return yield sourceOf(place, found.size, '');
	if (!found.isDirectory()) throw new UsageError(`${given} is neither a file nor a folder.`);
	yield* walk(place, path.basename(place));
}

/** `folder` is what the server is told of the way there. */
async function* walk(at: string, folder: string): AsyncGenerator<Source> {
	const entries = await readdir(at, { withFileTypes: true });
	for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
		if (entry.name.startsWith('.')) continue;
		const place = path.join(at, entry.name);
		if (entry.isDirectory()) yield* walk(place, `${folder}/${entry.name}`);
		if (entry.isFile()) yield sourceOf(place, (await stat(place)).size, folder);
	}
}

function fromPipe(name: string): Source {
	return { name, folder: '', place: undefined, sizeBytes: undefined, open: () => process.stdin };
}

function sourceOf(place: string, sizeBytes: number, folder: string): Source {
	// Exactly as much as was said: a file that grows meanwhile must not break the request.
	const open = () => createReadStream(place, { end: Math.max(0, sizeBytes - 1) });
	return { name: path.basename(place), folder, place, sizeBytes, open };
}
