// For what must last as long as a test looks at it: files stay in work while the provider holds them back.
import { type ProviderDouble, startProviderDouble } from '../support/provider.ts';
import { startServer } from '../support/server.ts';
import { test as base } from './fixtures.ts';

/** A server that has one hand for files and a provider that obeys. */
export const test = base.extend<{ obedient: void }, { provider: ProviderDouble }>({
	provider: [
		// eslint-disable-next-line no-empty-pattern -- Playwright reads the pattern to know what a fixture needs
		async ({}, use) => {
			const provider = await startProviderDouble();
			await use(provider);
			await provider.close();
		},
		{ scope: 'worker' }
	],
	server: [
		async ({ provider }, use) => {
			const server = await startServer({
				LOG_LEVEL: 'error',
				WORKER_CONCURRENCY: '1',
				OPENAI_BASE_URL: provider.url,
				OPENAI_API_KEY: 'for-the-double'
			});
			await use(server);
			await server.dispose();
		},
		{ scope: 'worker' }
	],
	obedient: [
		async ({ provider }, use) => {
			await use();
			provider.failWhen(undefined);
		},
		{ auto: true }
	]
});
