// npm run restore -- FILE [--force]: puts a backup into DATA_DIR, while no server runs there.
import { readConfig } from '#lib/server/config.ts';
import { restore } from '#lib/server/platform/embedded/backup.ts';
import { readArguments, runCommand } from './command.ts';

await runCommand(async () => {
	const { file, force } = readArguments('npm run restore -- FILE [--force]');
	const { dataDir } = readConfig(process.env);
	await restore(file, dataDir, { mayReplace: force });
	return `${dataDir} holds database and files of ${file}. Start Asura with npm start.`;
});
