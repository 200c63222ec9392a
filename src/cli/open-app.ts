// Makes the app once per process and leaves its promise where hooks.server.ts finds it (docs/decisions/001).
import { type App, createApp } from '#lib/server/app.ts';
import { readConfig } from '#lib/server/config.ts';

const key = Symbol.for('asura.app');

export function openApp(): Promise<App> {
	const slots = globalThis as { [key]?: Promise<App> };
	const onCrash = () => process.exit(1);
	slots[key] ??= createApp(readConfig(process.env), { onCrash }).then(async (app) => {
		await app.start();
		return app;
	});
	return slots[key];
}
