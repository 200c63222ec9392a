// Which server, and with which key: ASURA_URL and ASURA_KEY, or what `asura login` has kept for this person alone.
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import type { Connection } from '#lib/client/connect.ts';
import { UsageError } from './exit.ts';

const Kept = v.pipe(v.string(), v.parseJson(), v.object({ url: v.string(), key: v.string() }));
type Environment = Record<string, string | undefined>;

export function accountFile(env: Environment): string {
	const windows = process.platform === 'win32' ? env.APPDATA : undefined;
	const folder = env.XDG_CONFIG_HOME || windows || path.join(env.HOME || homedir(), '.config');
	return path.join(folder, 'asura', 'account.json');
}

export async function readAccount(env: Environment): Promise<Connection> {
	const kept = await readKept(accountFile(env));
	const url = env.ASURA_URL || kept?.url;
	// A key is for its own server: what was kept is not sent to another.
	const key = env.ASURA_KEY || (kept && toUrl(kept.url) === toUrl(url ?? '') ? kept.key : undefined);
	if (url && key) return { url: toUrl(url), key };
	throw new UsageError('Sign in first: asura login <address>, or set ASURA_URL and ASURA_KEY.');
}

/** Readable by this person alone, from the first byte on. */
export async function keepAccount(env: Environment, account: Connection): Promise<string> {
	const file = accountFile(env);
	await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
	const temporary = `${file}.${process.pid}`;
	await writeFile(temporary, `${JSON.stringify(account)}\n`, { mode: 0o600 });
	await chmod(temporary, 0o600);
	await rename(temporary, file);
	return file;
}

export async function forgetAccount(env: Environment): Promise<void> {
	await rm(accountFile(env), { force: true });
}

export function toUrl(given: string): string {
	const address = /^https?:\/\//i.test(given) ? given : `http://${given}`;
	if (!given || !URL.canParse(address))
		throw new UsageError(`${given || 'Nothing'} is no address of a server.`);
	return new URL(address).origin;
}

async function readKept(file: string): Promise<Connection | undefined> {
	const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return undefined;
		throw error;
	});
	if (text === undefined) return undefined;
	const kept = v.safeParse(Kept, text);
	if (kept.success) return kept.output;
	throw new UsageError(`${file} is not readable as an account: sign in again with asura login.`);
}
