// PDF pages as pictures, by pdf.js: fetched when somebody looks at a PDF, with its worker from our own origin. Nothing
// of a document runs: no eval, no scripts of forms. Of a long document only the bytes of the pages looked at are fetched.
import { getDocument, GlobalWorkerOptions, type PDFDocumentProxy } from 'pdfjs-dist';
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url';

/** Sharp enough for any screen, and bounded: a poster would not fit into memory. */
const mostPixels = 16_000_000;

export type Pdf = {
	pages: number;
	/** Width by height of a page. */
	ratioOf(page: number): Promise<number>;
	draw(page: number, canvas: HTMLCanvasElement, width: number, signal: AbortSignal): Promise<void>;
	close(): Promise<void>;
};

/** wrong: a password was given, and it is another one. */
export type PdfRefusal = 'locked' | 'wrong' | 'unreadable';

export async function openPdf(url: string, password?: string): Promise<Pdf | PdfRefusal> {
	GlobalWorkerOptions.workerSrc = workerUrl;
	const task = getDocument({
		url,
		...(password !== undefined && { password }),
		isEvalSupported: false,
		useWasm: false,
		enableXfa: false,
		disableAutoFetch: true,
		disableStream: true,
		rangeChunkSize: 262_144,
		cMapUrl: '/pdf/cmaps/',
		standardFontDataUrl: '/pdf/standard_fonts/',
		wasmUrl: '/pdf/wasm/',
		verbosity: 0
	});
	try {
		return pdfOf(await task.promise);
	} catch (error) {
		await task.destroy();
		if (!(error instanceof Error) || error.name !== 'PasswordException') return 'unreadable';
		return password === undefined ? 'locked' : 'wrong';
	}
}

function pdfOf(document: PDFDocumentProxy): Pdf {
	return {
		pages: document.numPages,
		async ratioOf(number) {
			const { width, height } = (await document.getPage(number)).getViewport({ scale: 1 });
			return width / height;
		},
		async draw(number, canvas, width, signal) {
			const page = await document.getPage(number);
			if (signal.aborted) return;
			const natural = page.getViewport({ scale: 1 });
			const bound = Math.sqrt(mostPixels / (natural.width * natural.height));
			const viewport = page.getViewport({
				scale: Math.min((width * devicePixelRatio) / natural.width, bound)
			});
			// Drawn aside and put in place whole, so that a page never stands there half.
			const fresh = new OffscreenCanvas(Math.floor(viewport.width), Math.floor(viewport.height));
			const drawing = page.render({ canvas: null, canvasContext: contextOf(fresh), viewport });
			const stop = () => drawing.cancel();
			signal.addEventListener('abort', stop);
			try {
				await drawing.promise;
			} catch (error) {
				if (signal.aborted) return;
				throw error;
			} finally {
				signal.removeEventListener('abort', stop);
				page.cleanup();
			}
			canvas.width = fresh.width;
			canvas.height = fresh.height;
			canvas.getContext('2d')?.drawImage(fresh, 0, 0);
		},
		close: () => document.destroy()
	};
}

/** What pdf.js draws on is the same for both kinds of canvas. */
function contextOf(canvas: OffscreenCanvas): CanvasRenderingContext2D {
	return canvas.getContext('2d') as unknown as CanvasRenderingContext2D;
}
