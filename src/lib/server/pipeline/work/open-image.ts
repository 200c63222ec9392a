// Opens a picture with sharp, in a worker only, under an explicit pixel limit.
import { readFile } from 'node:fs/promises';
import sharp, { type Sharp, type SharpOptions } from 'sharp';
import { messageOf, problem } from '#lib/server/errors.ts';
import { limits } from '#lib/shared/limits.ts';

// Files are worked on side by side already: threads inside one picture would only take turns. No cache: each is read once.
sharp.concurrency(1);
sharp.cache(false);

const maxSvgBytes = 16 * 1024 ** 2;

export type Picture = (options?: SharpOptions) => Sharp;

export async function openImage(path: string, fileType: string): Promise<Picture> {
	const input = fileType === 'image/svg+xml' ? await readSvg(path) : path;
	return (options) => openSharp(input, options);
}

/** By its bytes or its path. */
export function openSharp(input: Uint8Array | string, options?: SharpOptions): Sharp {
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
