// HTML: the words a reader would see, a section per heading. Nothing is fetched or run.
import type { Handler } from 'htmlparser2';
import type { Page } from '../../stage.ts';
import { decode } from './encoding.ts';
import { openMarkup } from './markup.ts';
import { createOutline } from './outline.ts';
import type { Source } from './source.ts';

type Outline = ReturnType<typeof createOutline>;
type Attributes = Record<string, string>;

const unseen = new Set('script style noscript template iframe object svg math'.split(' '));
const paragraphs = new Set(
	'p ul ol dl table blockquote pre section article header footer main aside nav figure form hr'.split(' ')
);
const lines = new Set(
	'div li tr dt dd br address caption figcaption legend option summary details'.split(' ')
);
const heading = /^(?:title|h([1-6]))$/;

export async function* readHtml(source: Source): AsyncGenerator<Page> {
	const pieces = decode(source.path, (done) => source.tick({ done, total: source.sizeBytes, unit: 'bytes' }));
	yield* htmlPages(pieces);
}

export async function* htmlPages(pieces: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Page> {
	const outline = createOutline();
	const parser = openMarkup(handlerOf(outline));
	for await (const piece of pieces) {
		parser.write(piece);
		yield* outline.take();
	}
	parser.end();
	outline.finish();
	yield* outline.take();
}

function handlerOf(outline: Outline): Partial<Handler> {
	let unseenDepth = 0;
	let title: string | undefined;
	let preDepth = 0;
	return {
		onopentag(name, attributes) {
			if (unseenDepth > 0 || unseen.has(name) || 'hidden' in attributes) return void unseenDepth++;
			if (heading.test(name)) title = '';
			if (name === 'pre') preDepth++;
			open(outline, name, attributes);
		},
		ontext(words) {
			if (unseenDepth > 0) return;
			if (title !== undefined) title += words;
			else if (preDepth > 0) addLines(outline, words);
			else outline.add(words.replace(/\s+/g, ' '));
		},
		onclosetag(name) {
			if (unseenDepth > 0) return void unseenDepth--;
			if (title !== undefined && heading.test(name)) {
				outline.heading(Number(heading.exec(name)?.[1] ?? 0), title);
				title = undefined;
			}
			if (name === 'pre') preDepth--;
			if (paragraphs.has(name)) outline.endParagraph();
			else if (lines.has(name)) outline.endLine();
			else if (name === 'td' || name === 'th') outline.add('\t');
		}
	};
}

function open(outline: Outline, name: string, attributes: Attributes): void {
	if (paragraphs.has(name)) outline.endParagraph();
	else if (lines.has(name)) outline.endLine();
	if (name === 'li') outline.add('• ');
	if (name === 'img' && attributes.alt) outline.add(` ${attributes.alt} `);
	if (name === 'meta' && attributes.name?.toLowerCase() === 'description' && attributes.content) {
		outline.add(attributes.content);
		outline.endParagraph();
	}
}

function addLines(outline: Outline, words: string): void {
	words.split('\n').forEach((line, i) => {
		if (i > 0) outline.endLine();
		outline.add(line);
	});
}
