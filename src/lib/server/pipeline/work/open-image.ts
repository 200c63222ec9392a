// Opens a picture with sharp, in a worker only, under an explicit pixel limit.
import { readFile } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { messageOf, problem } from '#lib/server/errors.ts';
import { limits } from '#lib/shared/limits.ts';

// Files are worked on side by side already: threads inside one picture would only take turns. No cache: each is read once.
sharp.concurrency(1);
sharp.cache(false);

const maxSvgBytes = 16 * 1024 ** 2;

export type Picture = (options?: SharpOptions) => Sharp;

export async function openImage(path: string, fileType: string): Promise<Picture> {
	if (fileType === 'image/heic') {
		const { decodeHeic } = await import('./decode-heic.ts');
		const { data, raw } = await decodeHeic(path);
		return (options) => openSharp(data, { raw, ...options });
	}
	const input = await inputOf(path, fileType);
	return (options) => openSharp(input, options);
}

/** What the file says of itself; no picture is decoded for it. */
export async function metadataOf(path: string, fileType: string): Promise<Metadata> {
	return openSharp(await inputOf(path, fileType))
		.metadata()
		.catch(translateImageError);
}

async function inputOf(path: string, fileType: string): Promise<Buffer | string> {
	return fileType === 'image/svg+xml' ? readSvg(path) : path;
}

/** By its bytes, its pixels or its path. */
export function openSharp(input: Uint8Array | Uint8ClampedArray | string, options?: SharpOptions): Sharp {
	return sharp(input, { limitInputPixels: limits.maxImagePixels, failOn: 'error', ...options });
}

export function translateImageError(error: unknown): never {
	const message = messageOf(error);
	if (/exceeds pixel limit|too large/i.test(message))
		throw problem('image.too_many_pixels', { cause: error });
	if (/timeout/i.test(message)) throw problem('stage.timed_out', { cause: error });
	// A full disk is not the picture's fault.
	if (/unable to write|no space/i.test(message)) throw error;
	throw problem('file.damaged', { cause: error });
}

/** From memory an SVG has no address, so nothing beside it and nothing on the network can be drawn into it. */
async function readSvg(path: string): Promise<Buffer> {
	const bytes = await readFile(path);
	if (bytes.length > maxSvgBytes)
		throw problem('image.too_many_pixels', { message: 'The drawing is too large to be processed.' });
	return bytes;
}
