// The platform of most tests: PGlite in memory with the whole schema, blobs in a temporary folder. An empty database
// takes 2.8 s to make and 0.3 s to load from a dump, so the first test of a schema keeps a dump under .cache.
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { extract } from 'tar';
import { openDiskBlobs } from '#lib/server/platform/embedded/disk-blobs.ts';
import { embeddedCapabilities } from '#lib/server/platform/embedded/embedded.ts';
import { openPgliteDb, type PgliteDb } from '#lib/server/platform/embedded/pglite-db.ts';
import { createListenFeed } from '#lib/server/platform/listen-feed.ts';
import { migrate, readScripts } from '#lib/server/platform/migrate.ts';
import type { Db, Platform } from '#lib/server/platform/platform.ts';
import { removeFolder } from './remove-folder.ts';

const cacheFolder = path.resolve(import.meta.dirname, '../../.cache/test-database');

/** A platform with people in it. */
export type PlatformOfTests<D extends Db = Db> = Platform & {
	db: D;
	/** A person's id. */
	addUser(email?: string): Promise<string>;
};

export type TestPlatform = PlatformOfTests<PgliteDb>;

export async function openTestPlatform(): Promise<TestPlatform> {
	return testPlatformOn(await openPgliteDb({ loadFrom: await findMigratedDump() }), embeddedCapabilities);
}

/** On a database that is migrated; both end together. */
export async function testPlatformOn<D extends Db>(
	db: D,
	capabilities: Platform['capabilities']
): Promise<PlatformOfTests<D>> {
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-test-'));
	return {
		capabilities,
		db,
		blobs: await openDiskBlobs(folder),
		identity: undefined,
		changes: createListenFeed(db),
		addUser: async (email = `${randomUUID()}@example.org`) => {
			const id = randomUUID();
			await db.query('insert into auth.users (id, email) values ($1, $2)', [id, email]);
			return id;
		},
		close: async () => {
			await db.close();
			await removeFolder(folder);
		}
	};
}

/** A data folder with a migrated, empty database in it: 0.3 s instead of the seconds of a first start. */
export async function makeDataDir(dataDir: string): Promise<void> {
	const database = path.join(dataDir, 'db');
	await mkdir(database, { recursive: true, mode: 0o700 });
	await extract({ file: await findMigratedDump(), cwd: database });
}

export async function findMigratedDump(): Promise<string> {
	const scripts = await readScripts();
	// The versions of the database are in there, and hardly anything that changes often.
	const hash = createHash('sha256').update(
		await readFile(path.resolve(import.meta.dirname, '../../package.json'))
	);
	for (const { checksum } of scripts) hash.update(checksum);
	const file = path.join(cacheFolder, `${hash.digest('hex').slice(0, 16)}.tar`);
	const isThere = await access(file).then(
		() => true,
		() => false
	);
	if (!isThere) await makeMigratedDump(file);
	return file;
}

/** Several test processes may do this at once: each writes its own file, the last rename wins. */
async function makeMigratedDump(file: string): Promise<void> {
	await mkdir(cacheFolder, { recursive: true });
	await removeOldDumps();
	const temporary = `${file}.${randomUUID()}`;
	const db = await openPgliteDb();
	try {
		await migrate(db);
		await db.dump(temporary);
	} finally {
		await db.close();
	}
	await rename(temporary, file);
}

/** Those of schemas that are gone; young ones may be in use by tests that began before the last change. */
async function removeOldDumps(): Promise<void> {
	const hourAgo = Date.now() - 3_600_000;
	for (const name of await readdir(cacheFolder)) {
		const file = path.join(cacheFolder, name);
		if ((await stat(file)).mtimeMs < hourAgo) await rm(file, { force: true });
	}
}
