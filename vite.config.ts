import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// lib/server is never bundled: it runs as plain Node (docs/decisions/001). In dev the app is made here, once,
// before the first request; `npm run dev` restarts the process when lib/server changes.
function asuraApp(): Plugin {
	return {
		name: 'asura-app',
		apply: 'serve',
		async configureServer(server) {
			if (process.env.VITEST) return;
			// By URL, so that Vite does not bundle the app into its configuration.
			const entry: { openApp(): Promise<{ stop(): Promise<void> }> } = await import(
				new URL('./src/cli/open-app.ts', import.meta.url).href
			);
			const app = await entry.openApp();
			server.httpServer?.once('close', () => void app.stop());
		}
	};
}

export default defineConfig({
	plugins: [tailwindcss(), sveltekit(), asuraApp()],
	server: { host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) },
	test: {
		include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
		exclude: ['tests/e2e/**', 'node_modules/**'],
		testTimeout: 30_000,
		hookTimeout: 60_000,
		maxWorkers: 2,
		pool: 'forks',
		// As scripts/run.mjs starts the server (docs/decisions/005).
		execArgv: ['--disable-warning=ExperimentalWarning', '--no-memory-protection-keys', '--no-wasm-code-gc'],
		reporters: ['default', './tests/support/vitest-summary.ts']
	}
});
