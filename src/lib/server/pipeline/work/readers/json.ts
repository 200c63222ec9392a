// JSON as lines a person can read: `orders[3].customer.name: Ada`. What is not valid JSON is still text.
import type { Page } from '../../stage.ts';
import { maxPageChars, passage, type Source } from './source.ts';
import { groupLines, readText } from './text.ts';
import { readWhole } from './whole.ts';

const maxBytes = 24 * 1024 ** 2;
/** Every line begins with its path: deep nesting would make a large text of a small file. */
const maxPathChars = 300;

export async function* readJson(source: Source): AsyncGenerator<Page> {
	const text = await readWhole(source, maxBytes);
	if (text === undefined) return yield* readText(source);
	const parsed = parse(text);
	if (!parsed.isValid) {
		if (!isJsonLines(text)) yield { ...passage(''), warning: notValid };
		return yield* groupLines([text]);
	}
	let group: string[] = [];
	let chars = 0;
	let section: string | null = null;
	for (const { path, value } of leaves(parsed.value)) {
		const line = path === '' ? value : `${path}: ${value}`;
		if (group.length > 0 && chars + line.length > maxPageChars / 4) {
			yield passage(group.join('\n'), section);
			group = [];
			chars = 0;
		}
		if (group.length === 0) section = path === '' ? null : path.toWellFormed();
		group.push(line);
		chars += line.length + 1;
	}
	if (group.length > 0) yield passage(group.join('\n'), section);
}

const notValid = { code: 'file.damaged', message: 'The file is not valid JSON; it was read as plain text.' };

function parse(text: string): { isValid: true; value: unknown } | { isValid: false } {
	try {
		return { isValid: true, value: JSON.parse(text) };
	} catch (error) {
		if (error instanceof SyntaxError) return { isValid: false };
		throw error;
	}
}

function isJsonLines(text: string): boolean {
	const lines = text.split('\n', 3).filter((line) => line.trim() !== '');
	return lines.length > 1 && lines.every((line) => parse(line).isValid);
}

/** With a stack of its own: nesting can be deeper than calls may be. */
function* leaves(root: unknown): Generator<{ path: string; value: string }> {
	const stack: { path: string; value: unknown }[] = [{ path: '', value: root }];
	for (let top = stack.pop(); top; top = stack.pop()) {
		const { path, value } = top;
		if (typeof value !== 'object' || value === null) {
			if (value !== null && value !== '') yield { path, value: String(value) };
			continue;
		}
		const isList = Array.isArray(value);
		for (const [key, inner] of Object.entries(value).toReversed()) {
			stack.push({ path: shorten(isList ? `${path}[${key}]` : join(path, key)), value: inner });
		}
	}
}

function join(path: string, key: string): string {
	return path === '' ? key : `${path}.${key}`;
}

/** What is nearest to the value says most about it. */
function shorten(path: string): string {
	return path.length > maxPathChars ? `…${path.slice(1 - maxPathChars)}` : path;
}
