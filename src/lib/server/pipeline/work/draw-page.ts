// A picture of one page of a PDF, for a model to read.
import type { PDFParse } from 'pdf-parse';
import { openSharp } from './open-image.ts';
import { maxSide, toPicture } from './picture.ts';

export async function drawPage(parser: PDFParse, number: number): Promise<Uint8Array | undefined> {
	const partial = [number];
	const { pages: sizes } = await parser.getInfo({ partial, parsePageInfo: true });
	const { width = 1, height = 1 } = sizes[0] ?? {};
	const { pages } = await parser.getScreenshot({
		partial,
		desiredWidth: maxSide * Math.min(1, width / height),
		imageBuffer: true,
		imageDataUrl: false
	});
	const drawn = pages[0]?.data;
	return drawn && toPicture(openSharp(drawn));
}
