// Markdown: one section per heading; markup removed, words kept.
import { marked, type Token, type Tokens } from 'marked';
import type { Page } from '../../stage.ts';
import { createOutline } from './outline.ts';
import { passage, type Source } from './source.ts';
import { groupLines, readText } from './text.ts';
import { readWhole } from './whole.ts';

const maxBytes = 8 * 1024 ** 2;

export async function* readMarkdown(source: Source): AsyncGenerator<Page> {
	const text = await readWhole(source, maxBytes);
	if (text === undefined) return yield* readText(source);
	const pages = sectionsOf(text);
	if (pages) return yield* pages;
	yield { ...passage(''), warning: tooDeep };
	yield* groupLines([text]);
}

const tooDeep = {
	code: 'file.damaged',
	message: 'The Markdown is nested too deeply; it was read as plain text.'
};

/** undefined: nested deeper than calls may be, which marked's are. */
function sectionsOf(text: string): Page[] | undefined {
	const outline = createOutline();
	const { frontMatter, body } = splitFrontMatter(text);
	const paragraph = (words: string): void => {
		for (const line of words.split('\n')) {
			outline.add(line);
			outline.endLine();
		}
		outline.endParagraph();
	};
	paragraph(frontMatter);
	try {
		for (const token of marked.lexer(body)) {
			if (isHeading(token)) outline.heading(token.depth, plain(token));
			else paragraph(plain(token));
		}
	} catch (error) {
		if (error instanceof RangeError) return undefined;
		throw error;
	}
	outline.finish();
	return outline.take();
}

function splitFrontMatter(markdown: string): { frontMatter: string; body: string } {
	const match = /^---\r?\n([\s\S]*?)\r?\n---\r?\n/.exec(markdown);
	return match
		? { frontMatter: match[1] ?? '', body: markdown.slice(match[0].length) }
		: { frontMatter: '', body: markdown };
}

// marked's Token is a union with an open member, so narrowing by `type` alone gives `any`.
const isHeading = (token: Token): token is Tokens.Heading => token.type === 'heading';
const isList = (token: Token): token is Tokens.List => token.type === 'list';
const isTable = (token: Token): token is Tokens.Table => token.type === 'table';

function plain(token: Token): string {
	if (isList(token)) return token.items.map((item) => `• ${inner(item.tokens).trim()}`).join('\n');
	if (isTable(token)) return rows(token);
	switch (token.type) {
		case 'space':
		case 'hr':
		case 'def':
			return '';
		case 'br':
			return '\n';
		case 'html':
			return String(token.raw).replace(/<[^>]*>/g, ' ');
		default:
			if ('tokens' in token && token.tokens) return inner(token.tokens);
			return 'text' in token ? String(token.text) : '';
	}
}

function inner(tokens: readonly Token[]): string {
	return tokens.map((token) => (isBlock(token) ? `${plain(token)}\n` : plain(token))).join('');
}

function isBlock(token: Token): boolean {
	return (
		['paragraph', 'list', 'code', 'blockquote', 'table', 'heading'].includes(token.type) ||
		(token.type === 'text' && 'tokens' in token)
	);
}

function rows({ header, rows: body }: Tokens.Table): string {
	return [header, ...body].map((row) => row.map((cell) => inner(cell.tokens)).join('\t')).join('\n');
}
