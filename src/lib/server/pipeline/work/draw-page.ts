// Pictures of one page of a PDF.
import type { PDFParse } from 'pdf-parse';
import { openSharp } from './open-image.ts';
import { maxSide, toPicture } from './picture.ts';

/** For a model to read. */
export async function drawPage(parser: PDFParse, number: number): Promise<Uint8Array | undefined> {
	const drawn = await screenshot(parser, number, maxSide);
	return drawn && toPicture(openSharp(drawn));
}

/** Its longest side becomes `side` pixels, whatever the shape of the page. */
export async function screenshot(
	parser: PDFParse,
	number: number,
	side: number
): Promise<Uint8Array | undefined> {
	const partial = [number];
	const { pages: sizes } = await parser.getInfo({ partial, parsePageInfo: true });
	const { width = 1, height = 1 } = sizes[0] ?? {};
	const { pages } = await parser.getScreenshot({
		partial,
		desiredWidth: side * Math.min(1, width / height),
		imageBuffer: true,
		imageDataUrl: false
	});
	return pages[0]?.data;
}
