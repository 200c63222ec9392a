// What the README says of settings and commands is held against the code. `UPDATE_README=1` writes the table anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { settings } from '#lib/server/config.ts';

const start = '<!-- settings: generated from src/lib/server/config.ts -->';
const end = '<!-- /settings -->';
const readme = () => readFileSync('README.md', 'utf8');

it('shows the settings as they are in config.ts', () => {
	const table = settingsTable();
	const [before = '', rest = ''] = readme().split(start);
	const [shown = '', after = ''] = rest.split(end);
	if (process.env.UPDATE_README) writeFileSync('README.md', `${before}${start}\n\n${table}\n\n${end}${after}`);
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

function settingsTable(): string {
	const rows = Object.entries(settings).map(([name, { default: value, about, allowed }]) => {
		const shown = value === '' ? '' : `\`${value}\``;
		return `| \`${name}\` | ${shown} | ${about} | ${allowed} |`;
	});
	return ['| name | default | meaning | allowed |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
