// Browser tests against the built server, which each worker starts for itself (tests/e2e/fixtures.ts).
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const systemChromium = '/usr/bin/chromium';

export default defineConfig({
	testDir: 'tests/e2e',
	outputDir: 'test-results/browser',
	workers: 1,
	retries: 0,
	timeout: 60_000,
	expect: { timeout: 15_000 },
	reporter: [['line'], ['./tests/support/playwright-summary.ts']],
	use: {
		browserName: 'chromium',
		locale: 'en-GB',
		viewport: { width: 1200, height: 900 },
		trace: 'retain-on-failure',
		launchOptions: {
			// Where the system has none, Playwright's own.
			...(existsSync(systemChromium) && { executablePath: systemChromium }),
			args: [
				'--no-sandbox',
				'--disable-gpu',
				'--disable-quic',
				'--no-first-run',
				'--disable-background-networking',
				'--disable-component-update',
				'--disable-sync'
			]
		}
	}
});
