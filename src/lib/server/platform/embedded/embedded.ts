// Everything on one machine, nothing installed: PGlite and a folder.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '../../log.ts';
import { createListenFeed } from '../listen-feed.ts';
import { migrate } from '../migrate.ts';
import type { Capabilities, Identity, Platform } from '../platform.ts';
import { openDiskBlobs } from './disk-blobs.ts';
import { openPgliteDb } from './pglite-db.ts';

const capabilities: Capabilities = {
	name: 'embedded',
	isExclusive: true,
	queueBackend: 'pglite',
	hasVectors: true
};

export async function openEmbedded(options: {
	dataDir: string;
	log: Log;
	identity?: Identity | undefined;
}): Promise<Platform> {
	const { dataDir, log, identity } = options;
	await mkdir(dataDir, { recursive: true, mode: 0o700 });
	const db = await openPgliteDb({
		dataDir: path.join(dataDir, 'db'),
		onCrash: (error) => log.fatal({ err: error }, 'the database has stopped')
	});
	const { applied } = await migrate(db);
	if (applied.length > 0) log.info({ applied }, 'the schema was brought up to date');
	return {
		capabilities,
		db,
		blobs: await openDiskBlobs(path.join(dataDir, 'files')),
		identity,
		changes: createListenFeed(db),
		close: () => db.close()
	};
}
