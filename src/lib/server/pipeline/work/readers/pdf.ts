// PDF, page by page. A page that cannot be read is a warning; only a file of which no page can be read is a failure.
import { InvalidPDFException, PasswordException, type PDFParse } from 'pdf-parse';
import { problem } from '#lib/server/errors.ts';
import { problems } from '#lib/shared/errors.ts';
import { limits } from '#lib/shared/limits.ts';
import type { Page } from '../../stage.ts';
import { openPdf } from '../open-pdf.ts';
import type { Source } from './source.ts';

type Numbered = Page & { number: number };

/** The dots between a title and its page number in a table of contents. */
const dotLeader = /[ \t]?\.(?:[ \t]?\.){5,}[ \t]?/g;

export async function* readPdf(source: Source): AsyncGenerator<Page> {
	const { maxPictures } = source;
	const parser = await openPdf(source);
	try {
		const total = await countPages(parser);
		let unreadable = 0;
		let drawn = 0;
		for (let number = 1; number <= total; number++) {
			let page = await readPage(parser, number);
			if (maxPictures > 0 && page.warning?.code === 'pdf.no_text')
				page = drawn++ < maxPictures ? await withPicture(parser, page) : notDrawn(number, maxPictures);
			if (page.warning?.code === 'file.damaged') unreadable++;
			source.tick({ done: number, total, unit: 'pages' });
			yield page;
		}
		if (unreadable >= total) throw problem('file.damaged');
	} finally {
		await parser.destroy();
	}
}

async function countPages(parser: PDFParse): Promise<number> {
	const { total } = await parser.getText({ partial: [0] }).catch((error: unknown) => {
		throw translate(error);
	});
	if (total > limits.maxPdfPages)
		throw problem('pdf.too_many_pages', { details: { pages: total, max: limits.maxPdfPages } });
	return total;
}

async function readPage(parser: PDFParse, number: number): Promise<Numbered> {
	try {
		const { pages } = await parser.getText({ partial: [number], pageJoiner: '' });
		const text = (pages[0]?.text ?? '').replace(dotLeader, ' … ');
		return text.trim() === ''
			? empty(number, 'pdf.no_text', 'Some pages have no text.')
			: { number, section: null, text };
	} catch (error) {
		if (error instanceof PasswordException) throw translate(error);
		return empty(number, 'file.damaged', 'Some pages could not be read.');
	}
}

/** A page that cannot be drawn stays one without text. */
async function withPicture(parser: PDFParse, page: Numbered): Promise<Numbered> {
	const { drawPage } = await import('../draw-page.ts');
	const picture = await drawPage(parser, page.number).catch(() => undefined);
	return { ...page, picture };
}

function notDrawn(number: number, max: number): Numbered {
	const message = `Only the first ${max} pages without text were read from their pictures. ${problems['vision.too_many_pages'].action}`;
	return empty(number, 'vision.too_many_pages', message);
}

function empty(number: number, code: string, message: string): Numbered {
	return { number, section: null, text: '', warning: { code, message, pages: [number] } };
}

export function translate(error: unknown): unknown {
	if (error instanceof PasswordException) {
		const isWrong = /incorrect/i.test(error.message);
		const message = isWrong ? 'The password does not open this PDF.' : undefined;
		return problem('pdf.encrypted', {
			cause: error,
			details: { wrongPassword: isWrong },
			...(message ? { message } : {})
		});
	}
	if (error instanceof InvalidPDFException || error instanceof Error)
		return problem('file.damaged', { cause: error });
	return error;
}
