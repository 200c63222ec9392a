// What the README says of settings and commands is held against the code. `UPDATE_README=1` writes the table anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { settings } from '#lib/server/config.ts';

import { problems } from '#lib/shared/errors.ts';

/** Tables that are written from the code, with the marks around them. */
const tables = [
	{ file: 'README.md', name: 'settings', source: 'src/lib/server/config.ts', table: settingsTable() },
	{ file: 'docs/api.md', name: 'errors', source: 'src/lib/shared/errors.ts', table: errorsTable() }
];

it.each(tables)('$file shows the $name as they are in $source', ({ file, name, source, table }) => {
	const start = `<!-- ${name}: generated from ${source} -->`;
	const end = `<!-- /${name} -->`;
	const [before = '', rest = ''] = readFileSync(file, 'utf8').split(start);
	const [shown = '', after = ''] = rest.split(end);
	if (process.env.UPDATE_README) writeFileSync(file, `${before}${start}\n\n${table}\n\n${end}${after}`);
	else expect(shown.trim()).toBe(table);
});

it('names only npm scripts that exist', () => {
	const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
	const named = [...readme().matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name ?? '');
	expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

it('links only to files that exist', () => {
	const links = [...readme().matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link ?? '');
	expect(links.filter((link) => !existsSync(link))).toEqual([]);
});

function readme(): string {
	return readFileSync('README.md', 'utf8');
}

function settingsTable(): string {
	const rows = Object.entries(settings).map(([name, { default: value, about, allowed }]) => {
		const shown = value === '' ? '' : `\`${value}\``;
		return `| \`${name}\` | ${shown} | ${about} | ${allowed} |`;
	});
	return ['| name | default | meaning | allowed |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function errorsTable(): string {
	const rows = Object.entries(problems).map(
		([code, { status, message, kept, action }]) =>
			`| \`${code}\` | ${status} | ${message} | ${kept} | ${action} |`
	);
	return [
		'| code | status | what happened | what was kept | what helps |',
		'| --- | --- | --- | --- | --- |',
		...rows
	].join('\n');
}
