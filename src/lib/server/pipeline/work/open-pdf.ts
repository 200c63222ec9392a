// Opens a PDF with pdf-parse, in a worker only: parsing blocks its thread.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { types } from 'node:util';
import { PDFParse } from 'pdf-parse';

// Character maps (without them CJK text without embedded maps is lost), fonts and decoders lie beside pdf.js.
const pdfjs = path.dirname(
	createRequire(import.meta.resolve('pdf-parse')).resolve('pdfjs-dist/package.json')
);

// pdf.js leaves rejections behind that nobody waits for when a file is damaged; the call itself fails or succeeds all
// the same. Any other stray rejection is a bug, and ends the worker as it would without us.
process.on('unhandledRejection', (reason) => {
	if (!isFromPdfjs(reason)) throw reason;
});

export async function openPdf({
	path: file,
	password
}: {
	path: string;
	password?: string | undefined;
}): Promise<PDFParse> {
	const bytes = await readFile(file);
	return new PDFParse({
		data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
		password,
		cMapUrl: path.join(pdfjs, 'cmaps/'),
		cMapPacked: true,
		standardFontDataUrl: path.join(pdfjs, 'standard_fonts/'),
		wasmUrl: path.join(pdfjs, 'wasm/'),
		isEvalSupported: false,
		useSystemFonts: false,
		disableFontFace: true
	});
}

/** Its own exceptions are errors by prototype only, and carry no stack of their own. */
function isFromPdfjs(reason: unknown): boolean {
	if (!(reason instanceof Error)) return false;
	return !types.isNativeError(reason) || (reason.stack ?? '').includes('pdfjs-dist');
}
