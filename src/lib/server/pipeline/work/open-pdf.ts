// Opens a PDF with pdf-parse, in a worker only: parsing blocks its thread.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PDFParse } from 'pdf-parse';

// Character maps (without them CJK text without embedded maps is lost), fonts and decoders lie beside pdf.js.
const pdfjs = path.dirname(
	createRequire(import.meta.resolve('pdf-parse')).resolve('pdfjs-dist/package.json')
);

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
