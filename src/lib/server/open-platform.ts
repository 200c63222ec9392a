// Where Asura runs: the built-in database or a Postgres, by configuration. Only the chosen side is loaded.
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { combineFeeds } from './platform/combined-feed.ts';
import { createListenFeed } from './platform/listen-feed.ts';
import { createOidc } from './platform/oidc.ts';
import type { Db, Platform } from './platform/platform.ts';
import type { Scratch } from './scratch.ts';

export type OpenOptions = {
	config: Config;
	scratch: Scratch;
	log: Log;
	onCrash?: ((error: Error) => void) | undefined;
};

export async function openPlatform({ config, scratch, log, onCrash }: OpenOptions): Promise<Platform> {
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
		openParts: (db) =>
			config.supabase ? openSupabaseParts(db, config.supabase, { scratch, log }) : openOwnParts(db, config)
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

/** A Supabase project: its Storage, its Auth, and its Realtime as a second doorbell. */
async function openSupabaseParts(
	db: Db,
	supabase: NonNullable<Config['supabase']>,
	{ scratch, log }: { scratch: Scratch; log: Log }
) {
	const [{ createSupabaseBlobs }, { createSupabaseIdentity }, { createSupabaseRealtime }] = await Promise.all(
		[
			import('./platform/supabase/blobs.ts'),
			import('./platform/supabase/identity.ts'),
			import('./platform/supabase/realtime.ts')
		]
	);
	return {
		identity: createSupabaseIdentity(supabase),
		blobs: createSupabaseBlobs({ supabase, scratch, log }),
		changes: combineFeeds(createListenFeed(db), createSupabaseRealtime({ supabase, log }))
	};
}

function oidcOf({ oidc }: Config) {
	return oidc && createOidc(oidc);
}
