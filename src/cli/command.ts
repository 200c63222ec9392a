// What backup and restore have in common: arguments, and how a failure is told.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, ConfigError, readConfig } from '#lib/server/config.ts';

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

/** Settings of a server with the built-in database: of others pg_dump makes the copies. */
export function readEmbedded(): Config {
	const config = readConfig(process.env);
	if (config.databaseUrl === undefined) return config;
	throw new ConfigError(
		'With DATABASE_URL the database is copied by pg_dump and the files with it: README.md, "A Postgres of your own".'
	);
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
