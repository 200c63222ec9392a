// What backup and restore have in common: arguments, and how a failure is told.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '#lib/server/config.ts';

export async function runCommand(work: () => Promise<string>): Promise<void> {
	try {
		process.stdout.write(`${await work()}\n`);
	} catch (error) {
		const isForPerson = error instanceof ConfigError || (error instanceof Error && 'code' in error);
		process.stderr.write(
			`${isForPerson ? error.message : error instanceof Error ? error.stack : String(error)}\n`
		);
		process.exitCode = 1;
	}
}

/** One file, as the person named it from the folder in which they called npm. */
export function readArguments(usage: string): { file: string; force: boolean } {
	const { positionals, values } = parseArgs({
		allowPositionals: true,
		options: { force: { type: 'boolean', default: false } }
	});
	const [file, ...more] = positionals;
	if (!file || more.length > 0) throw new ConfigError(`Usage: ${usage}`);
	return { file: path.resolve(process.env.INIT_CWD ?? '.', file), force: values.force };
}
