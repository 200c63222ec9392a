// asura: Asura from a terminal or a script (docs/cli.md). Everything goes over HTTP with a key, as any other program.
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { createApi } from '#lib/client/api.ts';
import { connect } from '#lib/client/connect.ts';
import { findProblem } from '#lib/shared/errors.ts';
import { ApiError } from '#lib/client/api.ts';
import { readAccount } from './asura/account.ts';
import { type Context, toProject } from './asura/context.ts';
import { download } from './asura/download.ts';
import { events } from './asura/events.ts';
import { type Exit, exitOf, exits, UsageError } from './asura/exit.ts';
import { list, remove, search, status } from './asura/files.ts';
import { login, logout } from './asura/login.ts';
import { createOutput, harmless, type Output } from './asura/output.ts';
import { upload } from './asura/upload.ts';

const usage = `asura login [address]                     keeps address and key, which is asked for
asura logout                              forgets them
asura upload <files|folders|-> [--watch]  sends them; --watch stays until each is searchable or has failed
             [--name <name>]              the name for what comes through -
             [--project <id>]             into that project
                                          a large file that broke off goes on by the same command
asura list [--status <status>] [--limit <n>] [--project <id>]
asura status [ids]                        ends with 6 while one is at work
asura search <words> [--limit <n>] [--file <id>] [--project <id>]
asura download <id> [--variant original|compressed|thumbnail|preview|text] [--output <file|->] [--force]
asura delete <ids>
asura events [--cursor <cursor>] [--project <id>]
                                          what happens, until Ctrl C

--json  one JSON object a line   --help
ASURA_URL and ASURA_KEY go before what login has kept. How it ends: 0 done, 1 something failed or nothing
was found, 2 wrong call, 3 key refused, 4 server unreachable, 5 not found, 6 at work, 130 interrupted.`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const options = {
	json: flag,
	help: { ...flag, short: 'h' },
	watch: flag,
	name: text,
	project: text,
	status: text,
	limit: text,
	file: text,
	variant: text,
	output: { ...text, short: 'o' },
	force: flag,
	cursor: text
} as const satisfies ParseArgsConfig['options'];
/** Besides --json and --help. */
const takes: Record<string, readonly (keyof typeof options)[]> = {
	login: [],
	logout: [],
	upload: ['watch', 'name', 'project'],
	list: ['status', 'limit', 'project'],
	status: [],
	search: ['limit', 'file', 'project'],
	download: ['variant', 'output', 'force'],
	delete: [],
	events: ['cursor', 'project']
};

const interrupt = new AbortController();
// From the terminal and from npm it can come more than once. What does not end by itself is ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
	process.on(signal, () => {
		interrupt.abort();
		setTimeout(() => process.exit(exits.interrupted), 2000).unref();
	});
// Whoever reads us has heard enough, as in `asura list | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const out = createOutput({ isJson: process.argv.includes('--json'), env: process.env });
process.exitCode = await run(process.argv.slice(2), out).catch((error: unknown) => {
	if (interrupt.signal.aborted) return exits.interrupted;
	out.note(wordsOf(error));
	return exitOf(error);
});
// Standard input that nobody reads to its end would keep us.
process.stdin.destroy();

async function run(argv: string[], out: Output): Promise<Exit> {
	const { command, words, values: given } = read(argv);
	if (given.help || command === 'help') {
		out.raw(`${usage}\n`);
		return exits.done;
	}
	const { signal } = interrupt;
	const values = { ...given, project: given.project === undefined ? undefined : toProject(given.project) };
	if (command === 'login') return login(words, { env: process.env, out, signal });
	if (command === 'logout') return logout({ env: process.env, out });
	const server = await readAccount(process.env);
	const folder = process.env.ASURA_FOLDER || process.cwd();
	const context: Context = { server, api: createApi(connect(server)), out, signal, folder, env: process.env };
	switch (command) {
		case 'upload':
			return upload(context, words, values);
		case 'list':
			return list(context, values);
		case 'status':
			return status(context, words);
		case 'search':
			return search(context, words, values);
		case 'download':
			return download(context, words, values);
		case 'delete':
			return remove(context, words);
		default:
			return events(context, values);
	}
}

function read(argv: string[]) {
	const { positionals, values } = parse(argv);
	const [command = 'help', ...words] = positionals;
	if (command === 'help' || values.help) return { command, words, values };
	const allowed = Object.hasOwn(takes, command) ? takes[command] : undefined;
	if (!allowed)
		throw new UsageError(`There is no asura ${harmless(command)}; asura --help tells what there is.`);
	const given = Object.keys(values).filter((name) => name !== 'json');
	const wrong = given.find((name) => !allowed.some((one) => one === name));
	if (wrong) throw new UsageError(`asura ${command} takes no --${wrong}.`);
	return { command, words, values };
}

function parse(args: string[]) {
	try {
		return parseArgs({ args, options, allowPositionals: true });
	} catch (error) {
		throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
	}
}

function wordsOf(error: unknown): string {
	if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
	return [error.message, findProblem(error.code)?.action].filter(Boolean).join(' ');
}
