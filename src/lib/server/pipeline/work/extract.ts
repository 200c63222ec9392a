// Worker file: reads one file with the reader of its type and hands over its pages.
import { problem } from '#lib/server/errors.ts';
import { clean } from '../clean.ts';
import type { Page } from '../stage.ts';
import type { Reader } from './readers/source.ts';
import { serve } from './serve.ts';

export type ExtractInput = {
	path: string;
	sizeBytes: number;
	fileType: string;
	filename: string;
	password?: string | undefined;
	maxPictures: number;
};

// Libraries are loaded when a file needs them: an idle worker stays small.
const image = () => import('./readers/image.ts').then((m) => m.readImage);
const sheets = () => import('./readers/sheets.ts').then((m) => m.readSheets);
const odf = () => import('./readers/odf.ts').then((m) => m.readOdf);
const readers: Record<string, () => Promise<Reader>> = {
	'application/pdf': () => import('./readers/pdf.ts').then((m) => m.readPdf),
	'text/plain': () => import('./readers/text.ts').then((m) => m.readText),
	'text/markdown': () => import('./readers/markdown.ts').then((m) => m.readMarkdown),
	'text/csv': () => import('./readers/csv.ts').then((m) => m.readCsv),
	'application/json': () => import('./readers/json.ts').then((m) => m.readJson),
	'text/html': () => import('./readers/html.ts').then((m) => m.readHtml),
	'application/xml': () => import('./readers/xml.ts').then((m) => m.readXml),
	'application/vnd.openxmlformats-officedocument.wordprocessingml.document': () =>
		import('./readers/docx.ts').then((m) => m.readDocx),
	'application/vnd.openxmlformats-officedocument.presentationml.presentation': () =>
		import('./readers/pptx.ts').then((m) => m.readPptx),
	'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': sheets,
	'application/vnd.oasis.opendocument.spreadsheet': sheets,
	'application/vnd.oasis.opendocument.text': odf,
	'application/vnd.oasis.opendocument.presentation': odf,
	'application/epub+zip': () => import('./readers/epub.ts').then((m) => m.readEpub),
	'message/rfc822': () => import('./readers/mail.ts').then((m) => m.readMail),
	'image/jpeg': image,
	'image/png': image,
	'image/webp': image,
	'image/gif': image,
	'image/tiff': image,
	'image/avif': image,
	'image/heic': image,
	'image/svg+xml': image
};

/** As of archives: what a small file repeats must not fill the database. Eight thousand pages are nobody's repetition. */
const harmlessChars = 16 * 1024 ** 2;
const maxRatio = 50;

export default serve<ExtractInput, Page, void>(async ({ input, emit, tick }) => {
	const reader = await readers[input.fileType]?.();
	if (!reader) throw problem('file.unsupported_type', { details: { type: input.fileType } });
	let chars = 0;
	for await (const page of reader({ ...input, password: input.password, tick })) {
		chars += page.text.length;
		if (chars > harmlessChars && chars > maxRatio * input.sizeBytes)
			throw problem('archive.bomb', { details: { chars } });
		await emit({ ...page, section: page.section && clean(page.section), text: clean(page.text) });
	}
});
