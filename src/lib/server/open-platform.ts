// Where Asura runs: the built-in database or a Postgres, by configuration. Only the chosen side is loaded.
import { type Config, ConfigError } from './config.ts';
import type { Log } from './log.ts';
import { createListenFeed } from './platform/listen-feed.ts';
import { createOidc } from './platform/oidc.ts';
import type { Db, Platform } from './platform/platform.ts';

export async function openPlatform(
	config: Config,
	log: Log,
	onCrash?: (error: Error) => void
): Promise<Platform> {
	const { databaseUrl, dataDir } = config;
	if (databaseUrl === undefined) {
		const { openEmbedded } = await import('./platform/embedded/embedded.ts');
		return openEmbedded({ dataDir, log, identity: oidcOf(config), onCrash });
	}
	const { openPostgres } = await import('./platform/supabase/open-postgres.ts');
	return openPostgres({
		url: databaseUrl,
		connections: config.databaseConnections,
		waitSeconds: config.databaseWaitSeconds,
		log,
		openParts: (db) => (config.supabase ? refuseSupabase() : openOwnParts(db, config))
	});
}

/** A Postgres of one's own: files in a folder that all processes share, sign-in as with the built-in database. */
async function openOwnParts(db: Db, config: Config) {
	const { openSharedFolder } = await import('./platform/embedded/shared-folder.ts');
	return {
		identity: oidcOf(config),
		blobs: await openSharedFolder(db, config.dataDir),
		changes: createListenFeed(db)
	};
}

async function refuseSupabase(): Promise<never> {
	throw new ConfigError('This build has no part for SUPABASE_URL: leave it empty, with its two keys.');
}

function oidcOf({ oidc }: Config) {
	return oidc && createOidc(oidc);
}
