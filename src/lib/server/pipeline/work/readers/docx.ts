// Word documents by mammoth, which turns them into HTML by their styles: headings become sections.
import mammoth from 'mammoth';
import type { Page } from '../../stage.ts';
import { checkArchive } from '../archive.ts';
import { orDamaged } from './damage.ts';
import { htmlPages } from './html.ts';
import type { Source } from './source.ts';

export async function* readDocx(source: Source): AsyncGenerator<Page> {
	await checkArchive(source.path);
	const convertImage = mammoth.images.imgElement(async () => ({ src: '' }));
	const html = await orDamaged(() =>
		mammoth.convertToHtml({ path: source.path }, { convertImage, externalFileAccess: false })
	);
	source.tick({ done: source.sizeBytes, total: source.sizeBytes, unit: 'bytes' });
	yield* htmlPages([html.value]);
}
