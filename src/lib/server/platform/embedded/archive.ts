// A backup is a tar file of `db`, `files` and a note of how much must be in it: without the note it was cut off.
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { create, extract, list } from 'tar';
import * as v from 'valibot';
import { ConfigError } from '../../config.ts';
import { messageOf } from '../../errors.ts';
import { ignoring, syncTree } from './durable.ts';

const parts = ['db', 'files'];
const noteName = 'asura-backup.json';
const Note = v.pipe(
	v.string(),
	v.parseJson(),
	v.object({ format: v.literal(1), madeAt: v.string(), files: v.number() })
);

/** The tar stream of a folder with `db` and `files` in it, to which nobody writes meanwhile. */
export async function pack(folder: string): Promise<Readable> {
	const note = { format: 1, madeAt: new Date().toISOString(), files: await countFiles(folder) };
	await writeFile(path.join(folder, noteName), JSON.stringify(note));
	return Readable.from(create({ cwd: folder, portable: true }, [...parts, noteName]));
}

/** Leaves `db` and `files` in `folder`, on disk. Throws a ConfigError when `file` is not a whole backup. */
export async function unpack(file: string, folder: string): Promise<void> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	try {
		// Read once before anything is written: an unpacking that is broken off goes on writing for a moment.
		await pipeline(createReadStream(file), list({ strict: true }));
		await pipeline(createReadStream(file), extract({ cwd: folder, strict: true, preserveOwner: false }));
	} catch (cause) {
		throw new ConfigError(`${file} cannot be read as a backup: ${messageOf(cause)}`, { cause });
	}
	const text = await ignoring(['ENOENT'], () => readFile(path.join(folder, noteName), 'utf8'));
	const note = v.safeParse(Note, text);
	if (!note.success) throw new ConfigError(`${file} is not a whole backup of Asura.`);
	const files = await countFiles(folder);
	if (files !== note.output.files) {
		throw new ConfigError(`${file} is not whole: it holds ${files} of ${note.output.files} files.`);
	}
	await rm(path.join(folder, noteName));
	await syncTree(folder);
}

async function countFiles(folder: string): Promise<number> {
	let count = 0;
	for (const part of parts) {
		const entries = await readdir(path.join(folder, part), { withFileTypes: true, recursive: true });
		count += entries.filter((entry) => entry.isFile()).length;
	}
	return count;
}
