import { describeNeverLost } from '../../../../tests/contract/never-lost.ts';
import { openTestPlatform } from '../../../../tests/support/database.ts';

describeNeverLost('PGlite', openTestPlatform, { runs: 12 });
