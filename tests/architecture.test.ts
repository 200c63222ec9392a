// Keeps the one-way rule of docs/decisions/002: imports point to an earlier row or stay inside one folder.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const rows: RegExp[][] = [
	[/^lib\/shared\//],
	[/^lib\/server\/(config|errors|log|metrics|room|scratch|tracing|utf16)\.ts$/],
	[/^lib\/server\/platform\/[^/]+\.ts$/],
	[/^lib\/server\/platform\/(embedded|supabase)\//],
	[/^lib\/server\/(files|auth|embedder)\//],
	[/^lib\/server\/(queue|events|processor)\//],
	[/^lib\/server\/(uploads|pipeline|search|webhooks|projects)\//],
	[/^lib\/server\/(app|open-platform)\.ts$/],
	[/^lib\/client\//],
	[/^routes\//, /^hooks\.(server|client)\.ts$/, /^app\.d\.ts$/, /^cli\//]
];

type Import = { from: string; to: string; isType: boolean };

const files = globSync('src/**/*.{ts,svelte}', { cwd: process.cwd() })
	.map((file) => path.relative('src', file).split(path.sep).join('/'))
	.filter((file) => !file.endsWith('.test.ts'));
const imports = files.flatMap(importsOf);
const inside = imports.filter(({ to }) => files.includes(to));

describe('the architecture', () => {
	it('has a row for every file', () => {
		expect(files.filter((file) => rowOf(file) === -1)).toEqual([]);
	});

	it('lets imports point only to an earlier row, or stay inside one folder', () => {
		const wrong = inside.filter(({ from, to }) => !isSameFolder(from, to) && rowOf(to) >= rowOf(from));
		expect(wrong.map(arrow)).toEqual([]);
	});

	it('finds every file that an import names', () => {
		const local = imports.filter(({ to }) => to.startsWith('lib/') || to.startsWith('routes/'));
		expect(
			local.filter(({ to }) => !files.includes(to) && !/\.(css|js|mjs|json)$|\/\$types$/.test(to)).map(arrow)
		).toEqual([]);
	});

	it('has no circle', () => {
		expect(findCircle()).toBeUndefined();
	});

	it('keeps Kit and Svelte out of lib/server', () => {
		const kit = imports.filter(
			({ from, to }) => from.startsWith('lib/server/') && /^(\$|@sveltejs\/|svelte)/.test(to)
		);
		expect(kit.map(arrow)).toEqual([]);
	});

	it('lets the browser side import only what both sides speak', () => {
		const foreign = inside.filter(
			({ from, to }) => from.startsWith('lib/client/') && !/^lib\/(client|shared)\//.test(to)
		);
		expect(foreign.map(arrow)).toEqual([]);
	});

	it('never bundles lib/server: routes and hooks import its types only', () => {
		const bundled = inside.filter(
			({ from, to, isType }) => /^(routes\/|hooks\.)/.test(from) && /^(lib\/server|cli)\//.test(to) && !isType
		);
		expect(bundled.map(arrow)).toEqual([]);
	});

	it('reads the environment only at the entries', () => {
		const readers = files.filter((file) => /process\.env\b/.test(read(file)) && !file.startsWith('cli/'));
		expect(readers).toEqual([]);
	});
});

function rowOf(file: string): number {
	return rows.findIndex((patterns) => patterns.some((pattern) => pattern.test(file)));
}

function isSameFolder(a: string, b: string): boolean {
	const folder = (file: string) =>
		/^(lib\/server\/platform\/[^/]+\/|lib\/server\/[^/]+\/|lib\/[^/]+\/|[^/]+\/)/.exec(file)?.[0];
	return folder(a) !== undefined && folder(a) === folder(b);
}

function importsOf(from: string): Import[] {
	const pattern =
		/(?:^|[\s;}])(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|new URL\(\s*['"](\.[^'"]+)['"]/g;
	return [...read(from).matchAll(pattern)].map(([, type, named, dynamic, url]) => ({
		from,
		to: resolve(from, named ?? dynamic ?? url ?? ''),
		isType: type !== undefined
	}));
}

function resolve(from: string, to: string): string {
	if (to.startsWith('#lib/')) return `lib/${to.slice(5)}`;
	return to.startsWith('.') ? path.posix.join(path.posix.dirname(from), to) : to;
}

function findCircle(): string[] | undefined {
	const done = new Set<string>();
	const visit = (file: string, trail: string[]): string[] | undefined => {
		if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
		if (done.has(file)) return undefined;
		for (const { to } of inside.filter(({ from, isType }) => from === file && !isType)) {
			const circle = visit(to, [...trail, file]);
			if (circle) return circle;
		}
		done.add(file);
		return undefined;
	};
	for (const file of files) {
		const circle = visit(file, []);
		if (circle) return circle;
	}
	return undefined;
}

function arrow({ from, to }: Import): string {
	return `${from} → ${to}`;
}

function read(file: string): string {
	const source = readFileSync(path.join('src', file), 'utf8');
	return source.replace(/^\s*\/\/.*$/gm, '').replace(/\/\*\*.*?\*\//gs, '');
}
