import { readdirSync, readFileSync } from 'node:fs';
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

// What pdf.js asks for when a document needs it: maps of characters, fonts that a document leaves out, and decoders of
// rare pictures that need no permission to compile (the policy for scripts gives none).
function pdfParts(): Plugin {
	const from = new URL('./node_modules/pdfjs-dist/', import.meta.url);
	const wanted = /^(cmaps\/.+\.bcmap|standard_fonts\/.+\.(pfb|ttf)|wasm\/.+_fallback\.js)$/;
	return {
		name: 'pdf-parts',
		apply: 'build',
		generateBundle() {
			if (this.environment.name !== 'client') return;
			for (const folder of ['cmaps', 'standard_fonts', 'wasm']) {
				for (const file of readdirSync(new URL(folder, from))) {
					const name = `${folder}/${file}`;
					if (!wanted.test(name)) continue;
					this.emitFile({
						type: 'asset',
						fileName: `pdf/${name}`,
						source: readFileSync(new URL(name, from))
					});
				}
			}
		}
	};
}

export default defineConfig({
	plugins: [tailwindcss(), sveltekit(), asuraApp(), pdfParts()],
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
