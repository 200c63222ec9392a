// OpenDocument texts and presentations: paragraphs, headings as sections, slides as pages.
import type { Handler } from 'htmlparser2';
import { problem } from '#lib/server/errors.ts';
import type { Page } from '../../stage.ts';
import { type Archive, withArchive } from '../archive.ts';
import { openMarkup } from './markup.ts';
import { createOutline } from './outline.ts';
import type { Source } from './source.ts';
import { attributesOf } from './xml-parts.ts';

type Outline = ReturnType<typeof createOutline>;

/** Deleted text that is kept for undoing, and scripts. */
const unseen = new Set(['text:tracked-changes', 'office:scripts', 'office:forms']);

export async function* readOdf(source: Source): AsyncGenerator<Page> {
	const xml = await withArchive(source.path, async (archive) => {
		await refuseEncrypted(archive);
		return archive.text('content.xml');
	});
	if (xml === undefined) throw problem('file.damaged');
	const pages = pagesOf(xml);
	source.tick({ done: source.sizeBytes, total: source.sizeBytes, unit: 'bytes' });
	yield* pages;
}

/** Each part that is encrypted is named in the manifest; the content always is, where anything is. */
export async function refuseEncrypted(archive: Archive): Promise<void> {
	const manifest = await archive.text('META-INF/manifest.xml');
	if (attributesOf(manifest ?? '', 'encryption-data').length > 0) throw problem('file.protected');
}

function pagesOf(xml: string): Page[] {
	const pages: Page[] = [];
	let outline = createOutline();
	let slide = 0;
	const flush = (): void => {
		outline.finish();
		const passages = outline.take();
		const text = passages.map((passage) => passage.text).join('\n\n');
		if (slide === 0) pages.push(...passages);
		else pages.push({ number: slide, section: null, text });
		outline = createOutline();
	};
	const handler = handlerOf(() => outline);
	const parser = openMarkup(
		{
			...handler,
			onopentag(name, attributes, isImplied) {
				if (name === 'draw:page') {
					if (slide > 0) flush();
					else outline.take();
					slide++;
				}
				handler.onopentag?.(name, attributes, isImplied);
			}
		},
		{ xmlMode: true }
	);
	parser.end(xml);
	flush();
	return pages;
}

function handlerOf(current: () => Outline): Partial<Handler> {
	let unseenDepth = 0;
	let heading: { depth: number; title: string } | undefined;
	let paragraphDepth = 0;
	const add = (words: string): void => {
		if (heading) heading.title += words;
		else if (paragraphDepth > 0) current().add(words);
	};
	return {
		onopentag(name, attributes) {
			if (unseenDepth > 0 || unseen.has(name)) return void unseenDepth++;
			if (name === 'text:h') heading = { depth: Number(attributes['text:outline-level'] ?? 1), title: '' };
			if (name === 'text:p') paragraphDepth++;
			if (name === 'text:list-item') current().endLine();
			if (name === 'text:s') add(' '.repeat(Math.min(20, Number(attributes['text:c'] ?? 1))));
			if (name === 'text:tab') add('\t');
			if (name === 'text:line-break') current().endLine();
		},
		ontext: (words) => void (unseenDepth === 0 && add(words.replace(/\s+/g, ' '))),
		onclosetag(name) {
			if (unseenDepth > 0) return void unseenDepth--;
			if (name === 'text:h' && heading) {
				current().heading(heading.depth, heading.title);
				heading = undefined;
			}
			if (name === 'text:p') paragraphDepth--;
			if (name === 'text:p' && paragraphDepth === 0) current().endLine();
			if (name === 'table:table-cell') current().add('\t');
		}
	};
}
