import { rowSecurityContract } from '../../../../tests/contract/row-security.ts';
import { findMigratedDump } from '../../../../tests/support/database.ts';
import { openPgliteDb } from './embedded/pglite-db.ts';

rowSecurityContract('PgliteDb', async () => openPgliteDb({ loadFrom: await findMigratedDump() }));
