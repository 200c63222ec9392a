// When the last backup was made and where it went, for `npm run doctor`.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { ignoring } from '#lib/server/platform/embedded/durable.ts';

const Note = v.pipe(v.string(), v.parseJson(), v.object({ at: v.string(), file: v.string() }));

const place = (dataDir: string) => path.join(dataDir, 'last-backup.json');

export async function noteBackup(dataDir: string, file: string): Promise<void> {
	await writeFile(place(dataDir), JSON.stringify({ at: new Date().toISOString(), file }), { mode: 0o600 });
}

export async function findLastBackup(dataDir: string): Promise<{ at: string; file: string } | undefined> {
	const text = await ignoring(['ENOENT'], () => readFile(place(dataDir), 'utf8'));
	const note = v.safeParse(Note, text);
	return note.success ? note.output : undefined;
}
