// Presentations (Office Open XML): the words of each slide in the order of the show, with the speaker's notes.
import { problem } from '#lib/server/errors.ts';
import type { Page } from '../../stage.ts';
import { type Archive, withArchive } from '../archive.ts';
import { openMarkup } from './markup.ts';
import type { Source } from './source.ts';
import { attributesOf, localName, partOf } from './xml-parts.ts';

const presentation = 'ppt/presentation.xml';

export async function* readPptx(source: Source): AsyncGenerator<Page> {
	yield* await withArchive(source.path, (archive) => readSlides(archive, source));
}

async function readSlides(archive: Archive, source: Source): Promise<Page[]> {
	const xml = await archive.text(presentation);
	if (xml === undefined) throw problem('file.damaged');
	const targets = await relationsOf(archive, presentation);
	const slides = attributesOf(xml, 'sldId').flatMap(
		(slide) => targets.get(slide['r:id'] ?? '')?.target ?? []
	);
	const pages: Page[] = [];
	for (const [i, part] of slides.entries()) {
		pages.push(await readSlide(archive, part, i + 1));
		source.tick({ done: i + 1, total: slides.length, unit: 'pages' });
	}
	return pages;
}

async function readSlide(archive: Archive, part: string, number: number): Promise<Page> {
	const xml = await archive.text(part);
	if (xml === undefined) {
		return {
			number,
			section: null,
			text: '',
			warning: { code: 'file.damaged', message: 'Some slides could not be read.', pages: [number] }
		};
	}
	const { title, text } = wordsOf(xml);
	const relations = [...(await relationsOf(archive, part)).values()];
	const notesPart = relations.find(({ type }) => type.endsWith('/notesSlide'))?.target;
	const notes = notesPart === undefined ? '' : wordsOf((await archive.text(notesPart)) ?? '').text;
	return { number, section: title, text: notes === '' ? text : `${text}\n\n${notes}` };
}

type Relation = { target: string; type: string };

async function relationsOf(archive: Archive, part: string): Promise<Map<string, Relation>> {
	const xml = await archive.text(part.replace(/([^/]+)$/, '_rels/$1.rels'));
	const relations = attributesOf(xml ?? '', 'Relationship').filter((one) => one.TargetMode !== 'External');
	return new Map(
		relations.map(({ Id = '', Target = '', Type = '' }) => [Id, { target: partOf(part, Target), type: Type }])
	);
}

/** Paragraphs as lines; the title is that of the shape that says so. Numbers of slides and dates are no content. */
function wordsOf(xml: string): { title: string | null; text: string } {
	const lines: string[] = [];
	let title: string | null = null;
	let shape = '';
	let line = '';
	let isText = false;
	const parser = openMarkup(
		{
			onopentag(name, attributes) {
				const local = localName(name);
				if (local === 'sp') shape = '';
				if (local === 'ph') shape = attributes.type ?? '';
				if (local === 't') isText = true;
				if (local === 'br') line += ' ';
			},
			ontext: (words) => void (isText && (line += words)),
			onclosetag(name) {
				const local = localName(name);
				if (local === 't') isText = false;
				if (local !== 'p' || name.startsWith('p:')) return;
				const words = line.trim();
				line = '';
				if (words === '' || /^(sldNum|dt|ftr)$/.test(shape)) return;
				if (/title/i.test(shape)) title ??= words;
				lines.push(words);
			}
		},
		{ xmlMode: true }
	);
	parser.end(xml);
	return { title, text: lines.join('\n') };
}
