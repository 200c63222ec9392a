// One worker process of `bench scale`: `pipeline` does the whole work, `empty` takes the same jobs and does nothing.
import { createApp } from '#lib/server/app.ts';
import { readConfig } from '#lib/server/config.ts';
import { silentLog } from '#lib/server/log.ts';
import { PgDb } from '#lib/server/platform/supabase/pg-db.ts';
import { readCapabilities } from '#lib/server/platform/supabase/capabilities.ts';
import { createQueue } from '#lib/server/queue/queue.ts';

const config = readConfig(process.env);
const worker = process.argv[2] === 'pipeline' ? await realWorker() : await emptyWorker();
process.once('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
process.once('message', () => void worker.start());
process.send?.('ready');

type Worker = { start(): Promise<void>; stop(): Promise<void> };

async function realWorker(): Promise<Worker> {
	return createApp(config, { log: silentLog });
}

async function emptyWorker(): Promise<Worker> {
	const db = new PgDb({ url: config.databaseUrl ?? '', log: silentLog });
	const queue = createQueue({ db, capabilities: await readCapabilities(db), config, log: silentLog });
	return {
		async start() {
			await queue.start();
			await queue.work({ run: async () => undefined, giveUp: async () => undefined });
		},
		async stop() {
			await queue.stop();
			await db.close();
		}
	};
}
