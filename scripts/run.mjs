// The one door of every npm script. Plain JavaScript that runs on Node 20.20: it finds a Node that is new enough,
// installs what the lockfile names, builds what the sources say, each only when it changed, and then runs the command.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTests } from './test.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const cache = path.join(root, '.cache');
// The others: V8's list of code pages loses count when WebAssembly comes and goes in threads, and V8 then ends the
// process (docs/decisions/005).
const nodeFlags = [
	'--disable-warning=ExperimentalWarning',
	'--no-memory-protection-keys',
	'--no-wasm-code-gc'
];
const oldestNode = [22, 18];

const [command = 'start', ...args] = process.argv.slice(2);

const commands = {
	start: () => prepared(() => serve(['src/cli/serve.ts', ...args], { NODE_ENV: 'production' })),
	dev: () =>
		installed(() =>
			serve(['--watch-path=src/lib/server', bin('vite'), 'dev', ...args], { NODE_ENV: 'development' })
		),
	build: () => installed(() => build()),
	check: () => installed(check),
	test: () => prepared(() => runTests({ node, nodeFlags, root, args, run })),
	'check-stream': () => installed(() => cli('check-stream', args)),
	bench: () => prepared(() => cli(`bench-${args[0] ?? 'stream'}`, args.slice(1), frugal())),
	doctor: () => installed(() => cli('doctor', args)),
	backup: () => installed(() => cli('backup', args)),
	restore: () => installed(() => cli('restore', args)),
	// Paths begin where the person stands, not where we do.
	asura: () => installed(() => cli('asura', args, { ASURA_FOLDER: standing }))
};

const standing = process.env.ASURA_FOLDER ?? process.env.INIT_CWD ?? process.cwd();
process.chdir(root);
if (!Object.hasOwn(commands, command))
	fail(`Unknown command ${command}; there are ${Object.keys(commands).join(', ')}.`);
const node = newEnoughNode();
process.exitCode = await commands[command]();

function newEnoughNode() {
	const [major, minor] = process.versions.node.split('.').map(Number);
	if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return process.execPath;
	const remembered = path.join(cache, 'node');
	// npm exec fails offline the second time, so its answer is kept.
	const known = existsSync(remembered) ? readFileSync(remembered, 'utf8').trim() : '';
	if (known && existsSync(known)) return known;
	say(
		`Node ${process.versions.node} is older than ${oldestNode.join('.')}: fetching Node 24 from the npm registry.`
	);
	const found = spawnSync(
		'npm',
		['exec', '--yes', '--package=node@24', '--', 'node', '-p', 'process.execPath'],
		{ encoding: 'utf8' }
	);
	const file = found.stdout?.trim().split('\n').at(-1) ?? '';
	if (found.status !== 0 || !existsSync(file))
		fail(
			`Node 24 could not be fetched; install Node ${oldestNode.join('.')} or newer.\n${found.stderr ?? ''}`
		);
	mkdirSync(cache, { recursive: true });
	writeFileSync(remembered, file);
	return file;
}

async function installed(next) {
	const stamp = path.join(root, 'node_modules', '.asura-lock');
	const wanted = hashOf(['package-lock.json']);
	if (!isStamped(stamp, wanted)) {
		say('Installing dependencies.');
		const status = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
		if (status !== 0) return status;
		writeFileSync(stamp, wanted);
	}
	return next();
}

function prepared(next) {
	return installed(async () => {
		const stamp = path.join(root, 'build', '.sources');
		// lib/server and cli run as they are; only what Kit bundles makes a new build necessary.
		const wanted = hashOf(
			['package-lock.json', 'svelte.config.js', 'vite.config.ts', 'tsconfig.json', 'static', 'src'],
			isBundled
		);
		if (!isStamped(stamp, wanted)) {
			const status = await build();
			if (status !== 0) return status;
			writeFileSync(stamp, wanted);
		}
		return next();
	});
}

async function build() {
	say('Building.');
	rmSync(path.join(root, 'build'), { recursive: true, force: true });
	// What the build says matters only when it failed.
	let said = '';
	const listen = ({ stdout, stderr }) => {
		for (const stream of [stdout, stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
	};
	const argv = [...nodeFlags, bin('vite'), 'build', '--logLevel', 'warn'];
	const status = await run(node, argv, { NODE_ENV: 'production' }, { stdio: 'pipe', onStart: listen });
	if (status !== 0) say(said);
	return status;
}

async function check() {
	const steps = [
		['types', [bin('@sveltejs/kit', 'svelte-kit'), 'sync']],
		['types', [bin('svelte-check'), '--tsconfig', './tsconfig.json', '--output', 'human']],
		['lint', [bin('eslint'), '.', '--max-warnings', '0', '--cache', '--cache-location', '.cache/eslint']],
		[
			'format',
			[
				bin('prettier'),
				'--check',
				'--log-level',
				'warn',
				'--cache',
				'--cache-location',
				'.cache/prettier',
				'.'
			]
		],
		['architecture', [bin('vitest'), 'run', 'tests/architecture.test.ts', 'tests/readme.test.ts']]
	];
	for (const [name, step] of steps) {
		const status = await run(node, [...nodeFlags, ...step]);
		if (status !== 0) {
			say(`check failed: ${name}`);
			return status;
		}
	}
	return 0;
}

function cli(name, rest, env) {
	const file = `src/cli/${name}.ts`;
	if (!existsSync(file)) fail(`There is no ${file}.`);
	return run(node, [...nodeFlags, file, ...rest], env);
}

/** A server: signals and the death of our parent end it, whoever was asked first. */
function serve(argv, env) {
	const parent = process.ppid;
	const watch = (child) => setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref();
	return run(node, [...nodeFlags, ...argv], { ...env, ...frugal() }, { onStart: watch });
}

/** glibc would give each thread a heap of its own, and hardly anything of them back (docs/decisions/067). */
function frugal() {
	const { MALLOC_ARENA_MAX = '2' } = process.env;
	return { MALLOC_ARENA_MAX };
}

function run(file, argv, env = {}, { stdio = 'inherit', onStart = () => {} } = {}) {
	return new Promise((resolve) => {
		const child = spawn(file, argv, { stdio, env: { ...process.env, ...env } });
		const forward = (signal) => child.kill(signal);
		const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
		for (const signal of signals) process.on(signal, forward);
		child.on('error', (error) => fail(error.message));
		child.on('exit', (status, signal) => {
			for (const one of signals) process.off(one, forward);
			resolve(status ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1));
		});
		onStart(child);
	});
}

function bin(name, command = name) {
	const folder = path.join(root, 'node_modules', name);
	const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
	return path.join(folder, typeof bin === 'string' ? bin : bin[command]);
}

function isBundled(file) {
	return !/^src[\\/](lib[\\/]server|cli)[\\/]|\.test\.ts$/.test(file);
}

function hashOf(places, isWanted = () => true) {
	const hash = createHash('sha256');
	for (const file of places.flatMap(filesBelow).filter(isWanted))
		hash.update(file).update('\0').update(readFileSync(file));
	return hash.digest('hex');
}

function filesBelow(place) {
	if (!statSync(place).isDirectory()) return [place];
	return readdirSync(place)
		.sort()
		.flatMap((name) => filesBelow(path.join(place, name)));
}

function isStamped(file, wanted) {
	return existsSync(file) && readFileSync(file, 'utf8') === wanted;
}

function say(line) {
	process.stderr.write(`${line}\n`);
}

function fail(line) {
	say(line);
	process.exit(1);
}
