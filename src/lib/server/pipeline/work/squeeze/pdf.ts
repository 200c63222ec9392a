// PDF: pictures of the first page; and the same document packed tighter by qpdf, which changes how it is stored and
// nothing else. qpdf runs as WebAssembly: whatever a file does to it stays inside this worker.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import openQpdf from '@neslinesli93/qpdf-wasm';
import { screenshot } from '../draw-page.ts';
import { openSharp } from '../open-image.ts';
import { openPdf } from '../open-pdf.ts';
import { makePictures, previewSide } from './image.ts';
import type { Squeeze } from './squeeze.ts';

/** qpdf holds the file twice in its memory. */
const maxBytes = 96 * 1024 ** 2;
const options = [
	'--object-streams=generate',
	'--compress-streams=y',
	'--recompress-flate',
	'--compression-level=9'
];
const wasmFile = createRequire(import.meta.url).resolve('@neslinesli93/qpdf-wasm/dist/qpdf.wasm');

type Streams = { FS: { init(input: undefined, output: () => void, error: () => void): void } };
const silent = (): void => undefined;
/** Made anew for each run: Emscripten empties the list. */
const settings = () => ({
	locateFile: () => wasmFile,
	noInitialRun: true,
	// What qpdf says about a file helps nobody who uploaded it.
	preRun: [({ FS }: Streams) => FS.init(undefined, silent, silent)]
});

export const drawPdf: Squeeze = async ({ path: source, scratchDir, password }) => {
	const parser = await openPdf({ path: source, password });
	try {
		const drawn = await screenshot(parser, 1, previewSide);
		return drawn ? await makePictures(openSharp(drawn), scratchDir) : {};
	} finally {
		await parser.destroy();
	}
};

export const squeezePdf: Squeeze = async ({ path: source, sizeBytes, scratchDir }) => {
	if (sizeBytes > maxBytes) return {};
	const qpdf = await openQpdf(settings());
	if (!canWrite(qpdf.FS)) throw new Error('This build of qpdf cannot be given a file.');
	qpdf.FS.writeFile('/in.pdf', await readFile(source));
	// Anything but 0 is a damaged, encrypted or doubtful file: such a one stays as it is.
	if (qpdf.callMain([...options, '/in.pdf', '/out.pdf']) !== 0) return {};
	const packed = qpdf.FS.readFile('/out.pdf');
	if (packed.length >= sizeBytes) return {};
	const file = path.join(scratchDir, 'compressed.pdf');
	await writeFile(file, packed);
	return { compressed: { path: file, type: 'application/pdf', bytes: packed.length } };
};

/** The package's own types leave this part of Emscripten's file system out. */
function canWrite<T extends object>(
	files: T
): files is T & { writeFile(path: string, bytes: Uint8Array): void } {
	return 'writeFile' in files && typeof files.writeFile === 'function';
}
