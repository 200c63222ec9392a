// PDF: a picture of the first page. No lossless compression: see docs/decisions/042.
import sharp from 'sharp';
import type { Compressed } from '../../stage.ts';
import { openPdf } from '../open-pdf.ts';
import { makeThumbnail, thumbnailSize } from './image.ts';
import type { Squeeze } from './squeeze.ts';

export const squeezePdf: Squeeze = async ({ path, scratchDir, password }): Promise<Compressed> => {
	const parser = await openPdf({ path, password });
	try {
		const { pages } = await parser.getScreenshot({
			partial: [1],
			desiredWidth: thumbnailSize,
			imageBuffer: true,
			imageDataUrl: false
		});
		const bytes = pages[0]?.data;
		return bytes ? { thumbnail: await makeThumbnail(sharp(bytes), scratchDir) } : {};
	} catch {
		return {}; // whether the PDF is damaged or encrypted is for the extraction to say
	} finally {
		await parser.destroy();
	}
};
