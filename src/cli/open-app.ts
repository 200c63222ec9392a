// Makes the app once per process and leaves its promise where hooks.server.ts finds it (docs/decisions/001).
import { type App, createApp } from '#lib/server/app.ts';
import { type Config, readConfig } from '#lib/server/config.ts';
import { startTracing } from '#lib/server/tracing.ts';

const key = Symbol.for('asura.app');

export function openApp(): Promise<App> {
	const slots = globalThis as { [key]?: Promise<App> };
	const onCrash = () => process.exit(1);
	slots[key] ??= open(readConfig(process.env), onCrash);
	return slots[key];
}

async function open(config: Config, onCrash: () => void): Promise<App> {
	const stopTracing = config.tracesUrl ? await startTracing(config.tracesUrl, config.role) : undefined;
	const app = await createApp(config, { onCrash });
	await app.start();
	if (!stopTracing) return app;
	return {
		...app,
		async stop() {
			await app.stop();
			// Spans that nobody takes keep nobody from ending.
			await stopTracing().catch((error: unknown) =>
				app.log.warn({ err: error }, 'the last spans were not sent')
			);
		}
	};
}
