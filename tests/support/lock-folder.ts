// A process that locks the folder it is given, says how that went, and holds the lock until it is ended.
import { lockFolder } from '#lib/server/platform/embedded/folder-lock.ts';

const [folder = ''] = process.argv.slice(2);
try {
	await lockFolder(folder);
	process.stdout.write('locked\n');
	process.stdin.resume().once('end', () => process.exit());
} catch (error) {
	process.stdout.write(`${error instanceof Error ? `${error.name}: ${error.message}` : error}\n`);
}
