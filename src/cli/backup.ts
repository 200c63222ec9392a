// npm run backup -- FILE.tar[.gz]: asks the running server for a copy, or makes one itself when none runs.
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ConfigError } from '#lib/server/config.ts';
import { backUpAtRest } from '#lib/server/platform/embedded/backup.ts';
import { requestCommand } from '#lib/server/platform/embedded/control.ts';
import { exists } from '#lib/server/platform/embedded/durable.ts';
import { findOwner } from '#lib/server/platform/embedded/folder-lock.ts';
import { noteBackup } from './last-backup.ts';
import { readArguments, readEmbedded, runCommand } from './command.ts';

await runCommand(async () => {
	const { file } = readArguments('npm run backup -- FILE.tar or FILE.tar.gz');
	if (await exists(file)) throw new ConfigError(`${file} already exists; a backup overwrites nothing.`);
	const { dataDir } = readEmbedded();
	if (!(await exists(dataDir))) throw new ConfigError(`There is no data in ${dataDir}.`);
	const unfinished = `${file}.unfinished`;
	try {
		await write(dataDir, unfinished, /gz$/.test(file));
		await rename(unfinished, file);
	} finally {
		await rm(unfinished, { force: true });
	}
	const { size } = await stat(file);
	await noteBackup(dataDir, file);
	return `${file} holds database and files of ${dataDir} (${(size / 1e6).toFixed(1)} MB).`;
});

async function write(dataDir: string, file: string, isCompressed: boolean): Promise<void> {
	const output = createWriteStream(file, { mode: 0o600, flush: true });
	if (!isCompressed) return produce(dataDir, output);
	const gzip = createGzip();
	await Promise.all([pipeline(gzip, output), produce(dataDir, gzip)]);
}

async function produce(dataDir: string, to: Writable): Promise<void> {
	if (await findOwner(dataDir)) await requestCommand(dataDir, 'backup', to);
	else await backUpAtRest(dataDir, to);
}
