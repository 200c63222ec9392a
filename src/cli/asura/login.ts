// asura login and logout. The key is asked for, or comes through a pipe or ASURA_KEY: never as an argument, which other
// people on the machine can see.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createApi } from '#lib/client/api.ts';
import { connect } from '#lib/client/connect.ts';
import { forgetAccount, keepAccount, toUrl } from './account.ts';
import { type Exit, exits, UsageError } from './exit.ts';
import type { Output } from './output.ts';

type Environment = Record<string, string | undefined>;
const usualUrl = 'http://127.0.0.1:3000';

export async function login(
	given: readonly string[],
	{ env, out, signal }: { env: Environment; out: Output; signal: AbortSignal }
): Promise<Exit> {
	const [address, ...more] = given;
	if (more.length > 0) throw new UsageError('Name one address only; the key is asked for.');
	const url = toUrl(address ?? env.ASURA_URL ?? usualUrl);
	const key = (env.ASURA_KEY ?? (await askForKey(url, signal))).trim();
	if (!key) throw new UsageError('No key was given.');
	const account = { url, key };
	await createApi(connect(account)).list({ limit: 1 });
	const file = await keepAccount(env, account);
	out.tell(`Signed in to ${url}; the key is kept in ${file}.`, { event: 'signed-in', url, file });
	return exits.done;
}

export async function logout({ env, out }: { env: Environment; out: Output }): Promise<Exit> {
	await forgetAccount(env);
	out.tell('The key is forgotten here. Revoke it on the page if nobody needs it.', { event: 'signed-out' });
	return exits.done;
}

async function askForKey(url: string, signal: AbortSignal): Promise<string> {
	const { stdin, stderr } = process;
	if (!stdin.isTTY) return text(stdin);
	stderr.write(`Key for ${url} (make one at ${url}/settings/keys; it is not shown here): `);
	// What is typed goes nowhere.
	const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
	const asking = createInterface({ input: stdin, output: nowhere, terminal: true });
	try {
		return await asking.question('', { signal });
	} finally {
		asking.close();
		stderr.write('\n');
	}
}
