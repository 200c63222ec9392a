import { describe } from 'vitest';
import { webhooksContract } from '../../../../tests/contract/webhooks.ts';
import { openTestPlatform } from '../../../../tests/support/database.ts';

describe('on PGlite', () => webhooksContract(openTestPlatform));
