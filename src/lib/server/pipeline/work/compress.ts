// Worker file: makes what is smaller than the original, and a small picture of it.
import type { Compressed } from '../stage.ts';
import { serve } from './serve.ts';
import type { Squeeze } from './squeeze/squeeze.ts';

export type CompressInput = {
	path: string;
	sizeBytes: number;
	fileType: string;
	scratchDir: string;
	password?: string | undefined;
	/** Of a PDF: the one must not be lost with the other. */
	part?: 'thumbnail' | 'copy';
};

const squeezeText = () => import('./squeeze/text.ts').then((m) => m.squeezeText);
const squeezeImage = () => import('./squeeze/image.ts').then((m) => m.squeezeImage);
/** A drawing is text: its picture is made once, its text packed. */
const squeezeSvg = async (): Promise<Squeeze> => {
	const [picture, text] = await Promise.all([squeezeImage(), squeezeText()]);
	return async (input) => ({ ...(await picture(input)), ...(await text(input)) });
};
const drawPdf = () => import('./squeeze/pdf.ts').then((m) => m.drawPdf);
const squeezePdf = () => import('./squeeze/pdf.ts').then((m) => m.squeezePdf);

function squeezeOf({ fileType, part }: CompressInput): (() => Promise<Squeeze>) | undefined {
	if (fileType === 'image/svg+xml') return squeezeSvg;
	if (fileType.startsWith('image/')) return squeezeImage;
	if (fileType === 'application/pdf') return part === 'thumbnail' ? drawPdf : squeezePdf;
	if (/^text\/|^message\/|^application\/(json|xml)$/.test(fileType)) return squeezeText;
	return undefined;
}

export default serve<CompressInput, never, Compressed>(async ({ input, tick, alive }) => {
	const squeeze = await squeezeOf(input)?.();
	return squeeze ? squeeze({ ...input, password: input.password, tick, alive }) : {};
});
