import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeDataDir } from '../../../../../tests/support/database.ts';
import { useTempFolder } from '../../../../../tests/support/temp-folder.ts';
import { ConfigError } from '../../config.ts';
import { silentLog } from '../../log.ts';
import { openEmbedded } from './embedded.ts';
import { foldersOf } from './data-folder.ts';

const folder = useTempFolder();

test('a database that cannot be opened is one line which says where it is and what helps', async () => {
	const { database } = foldersOf(folder());
	await makeDataDir(folder());
	await rm(path.join(database, 'global/pg_control'));
	const opening = openEmbedded({ dataDir: folder(), log: silentLog });
	await expect(opening).rejects.toBeInstanceOf(ConfigError);
	await expect(opening).rejects.toThrow(`The database in ${database} cannot be opened (`);
	await expect(opening).rejects.toThrow('npm run restore');
});
