import { describe } from 'vitest';
import { webhooksContract } from '../../../../tests/contract/webhooks.ts';
import { findPostgres, startPostgres } from '../../../../tests/support/postgres.ts';
import { openPostgresPlatform } from '../../../../tests/support/postgres-platform.ts';

const postgres = await findPostgres();
const reason = 'reason' in postgres ? ` (skipped: ${postgres.reason})` : '';

describe.skipIf(reason !== '')(`on Postgres${reason}`, () =>
	webhooksContract(async () => {
		const server = await startPostgres('bin' in postgres ? postgres.bin : '');
		const platform = await openPostgresPlatform(server.url);
		return {
			...platform,
			close: async () => {
				await platform.close();
				await server.close();
			}
		};
	})
);
