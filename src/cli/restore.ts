// npm run restore -- FILE [--force]: puts a backup into DATA_DIR, while no server runs there.
import { restore } from '#lib/server/platform/embedded/backup.ts';
import { readArguments, readEmbedded, runCommand } from './command.ts';

await runCommand(async () => {
	const { file, force } = readArguments('npm run restore -- FILE [--force]');
	const { dataDir } = readEmbedded();
	await restore(file, dataDir, { mayReplace: force });
	return `${dataDir} holds database and files of ${file}. Start Asura with npm start.`;
});
