// Books (EPUB): the chapters in the order in which they are read.
import { problem } from '#lib/server/errors.ts';
import type { Page } from '../../stage.ts';
import { type Archive, withArchive } from '../archive.ts';
import { htmlPages } from './html.ts';
import type { Source } from './source.ts';
import { attributesOf, partOf } from './xml-parts.ts';

export async function* readEpub(source: Source): AsyncGenerator<Page> {
	const chapters = await withArchive(source.path, (archive) => readChapters(archive, source));
	for (const chapter of chapters) yield* htmlPages([chapter]);
}

async function readChapters(archive: Archive, source: Source): Promise<string[]> {
	const container = await archive.text('META-INF/container.xml');
	const main = attributesOf(container ?? '', 'rootfile')[0]?.['full-path'];
	const book = main === undefined ? undefined : await archive.text(main);
	if (main === undefined || book === undefined) throw problem('file.damaged');
	const items = new Map(attributesOf(book, 'item').map(({ id = '', href = '' }) => [id, partOf(main, href)]));
	const spine = attributesOf(book, 'itemref').flatMap(({ idref = '' }) => items.get(idref) ?? []);
	const encryption = await archive.text('META-INF/encryption.xml');
	// Fonts may be hidden in a book that anybody can read.
	const hidden = new Set(
		attributesOf(encryption ?? '', 'CipherReference').map(({ URI = '' }) => partOf('', URI))
	);
	if (spine.some((part) => hidden.has(part))) throw problem('file.protected');
	const chapters: string[] = [];
	for (const [i, part] of spine.entries()) {
		const chapter = await archive.text(part);
		if (chapter !== undefined) chapters.push(chapter);
		source.tick({ done: i + 1, total: spine.length, unit: 'pages' });
	}
	return chapters;
}
