// One multipart request, read to its end or to the point where it breaks. Bounded in everything: fields are skipped,
// files are counted, and a client that sends nothing for a while is given up.
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { limits } from '#lib/shared/limits.ts';
import { AppError, problem } from '../errors.ts';

export type Multipart = {
	body: Readable;
	contentType: string | null;
	signal: AbortSignal;
	stallMs: number;
	/** Must read `part` to its end, and listen for its errors before it returns. */
	onFile(part: Readable, filename: string | undefined): void;
	onTooMany(): void;
};

/** How long the rest of a broken request is read, so that its sender can see the answer, before it is cut off. */
const drainMs = 10_000;

/** Resolves with what was wrong with the request as a whole, when the last part has been handed over. */
export async function readMultipart({
	body,
	onFile,
	onTooMany,
	...request
}: Multipart): Promise<AppError | undefined> {
	const form = open(request.contentType);
	if (!form) {
		drain(body);
		return problem('upload.malformed');
	}
	form.on('file', (name, part, { filename }) => {
		if (name !== 'file') return part.resume();
		// What browsers escape in a name, and nothing else (HTML, multipart/form-data).
		onFile(part, filename?.replace(/%(22|0A|0D)/g, decodeURIComponent));
	});
	form.on('filesLimit', onTooMany);

	const { promise, resolve } = Promise.withResolvers<AppError | undefined>();
	const interrupt = (cause?: unknown) => form.destroy(problem('upload.interrupted', { cause }));
	const stopWatching = watchForStalls(body, form, request.stallMs, interrupt);
	const onAbort = () => interrupt(request.signal.reason);
	form.once('error', (cause) =>
		resolve(cause instanceof AppError ? cause : problem('upload.malformed', { cause }))
	);
	form.once('close', () => resolve(undefined));
	body.once('error', interrupt);
	body.once('close', () => !body.readableEnded && interrupt());
	request.signal.addEventListener('abort', onAbort);
	if (request.signal.aborted || body.destroyed) onAbort();
	body.pipe(form);
	try {
		return await promise;
	} finally {
		stopWatching();
		request.signal.removeEventListener('abort', onAbort);
		body.unpipe(form);
		drain(body);
	}
}

function open(contentType: string | null): busboy.Busboy | undefined {
	try {
		return busboy({
			headers: { 'content-type': contentType ?? '' },
			// Browsers send names as they are, in UTF-8.
			defParamCharset: 'utf8',
			// A chosen folder's files are named with the way to them.
			preservePath: true,
			limits: { files: limits.maxFilesPerRequest, fields: 0, fieldNameSize: 100, headerPairs: 100 }
		});
	} catch {
		return undefined;
	}
}

function watchForStalls(
	body: Readable,
	form: busboy.Busboy,
	stallMs: number,
	onStall: () => void
): () => void {
	let lastAt = performance.now();
	const heard = () => (lastAt = performance.now());
	body.on('data', heard);
	const timer = setInterval(() => {
		// Then it is our disk that is slow, not the client.
		if (form.writableNeedDrain) return heard();
		if (performance.now() - lastAt > stallMs) onStall();
	}, stallMs / 10);
	return () => {
		clearInterval(timer);
		body.off('data', heard);
	};
}

function drain(body: Readable): void {
	if (body.readableEnded || body.destroyed) return;
	// Whatever breaks now concerns nobody any more.
	body.on('error', () => undefined);
	const timer = setTimeout(() => body.destroy(), drainMs).unref();
	body.once('close', () => clearTimeout(timer));
	body.resume();
}
