// Everything on one machine, nothing installed: PGlite and a folder, owned by one process.
import { access, constants, mkdir } from 'node:fs/promises';
import { ConfigError } from '../../config.ts';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { refuseFullDisk } from '../../room.ts';
import { createListenFeed } from '../listen-feed.ts';
import { bringUpToDate } from '../migrate.ts';
import type { Capabilities, Identity, Platform, Stop } from '../platform.ts';
import { backUp } from './backup.ts';
import { serveControl } from './control.ts';
import { foldersOf, refuseHalfRestored, removeStaging } from './data-folder.ts';
import { openDiskBlobs } from './disk-blobs.ts';
import { lockFolder } from './folder-lock.ts';
import { openPgliteDb, type PgliteDb } from './pglite-db.ts';

export const embeddedCapabilities: Capabilities = {
	name: 'embedded',
	isExclusive: true,
	queueBackend: 'pglite',
	hasVectors: true
};

export async function openEmbedded(options: {
	dataDir: string;
	log: Log;
	identity?: Identity | undefined;
	/** Nothing works any more; a restart recovers. */
	onCrash?: (error: Error) => void;
}): Promise<Platform> {
	const { dataDir, log, identity, onCrash } = options;
	await makeFolder(dataDir);
	await refuseFullDisk(dataDir);
	// Closed in the opposite order, also when a later part cannot be opened.
	const closers: Stop[] = [await lockFolder(dataDir)];
	const close = async () => {
		for (let one = closers.pop(); one; one = closers.pop()) await one();
	};
	try {
		await refuseHalfRestored(dataDir);
		await removeStaging(dataDir);
		const folders = foldersOf(dataDir);
		const blobs = await openDiskBlobs(folders.blobs);
		const db = await openDatabase(folders.database, log, onCrash);
		closers.push(() => db.close());
		await bringUpToDate(db, log);
		const copy = db.copy.bind(db);
		const { onCommand, close: closeControl } = await serveControl({ dataDir, log });
		closers.push(closeControl);
		onCommand('backup', (to) => backUp(dataDir, copy, to));
		return {
			capabilities: embeddedCapabilities,
			db,
			blobs,
			identity,
			changes: createListenFeed(db),
			onCommand,
			close
		};
	} catch (error) {
		await close();
		throw error;
	}
}

async function makeFolder(dataDir: string): Promise<void> {
	try {
		await mkdir(dataDir, { recursive: true, mode: 0o700 });
		await access(dataDir, constants.W_OK);
	} catch (cause) {
		const reason = messageOf(cause);
		throw new ConfigError(
			`DATA_DIR is ${JSON.stringify(dataDir)}; allowed: a folder that can be written to (${reason}).`
		);
	}
}

async function openDatabase(dataDir: string, log: Log, onCrash?: (error: Error) => void): Promise<PgliteDb> {
	let isOpen = false;
	try {
		const db = await openPgliteDb({
			dataDir,
			onCrash: (error) => {
				if (!isOpen) return;
				log.fatal({ error: messageOf(error) }, 'the database has stopped; restart Asura');
				onCrash?.(error);
			},
			onMaintenanceFailed: (error) =>
				log.error({ error: messageOf(error) }, 'the database could not be tidied')
		});
		isOpen = true;
		return db;
	} catch (cause) {
		throw new ConfigError(
			`The database in ${dataDir} cannot be opened (${messageOf(cause)}). If a start does not help, restore a backup: npm run restore.`,
			{ cause }
		);
	}
}
