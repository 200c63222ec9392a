// Pictures: the smaller of WebP and the optimised original format, upright, without metadata; and small pictures of it in two sizes.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { limits } from '#lib/shared/limits.ts';
import { problem } from '#lib/server/errors.ts';
import type { Compressed, Derived } from '../../stage.ts';
import { metadataOf, openImage, type Picture, translateImageError } from '../open-image.ts';
import type { Squeeze } from './squeeze.ts';

/** Longest sides, in pixels: one for lists, one to look at. */
const thumbnailSide = 320;
export const previewSide = 800;
/** sharp runs outside JavaScript, where no kill reaches it: it ends itself. */
const timeout = { seconds: 90 };
/** WebP has no longer side: panoramas and pictures of whole pages do. */
const maxWebpSide = 16_383;
/** Frames of an animation together; beyond, encoding takes minutes. */
const maxAnimatedPixels = 50_000_000;

type Candidate = { type: string; extension: string; encode: (image: Sharp) => Sharp };

const webp: Candidate = {
	type: 'image/webp',
	extension: 'webp',
	encode: (image) => image.webp({ quality: 86, effort: 4 })
};
const losslessWebp: Candidate = {
	...webp,
	extension: 'lossless.webp',
	encode: (image) => image.webp({ lossless: true, effort: 4 })
};
const jpeg: Candidate = {
	type: 'image/jpeg',
	extension: 'jpg',
	encode: (image) => image.jpeg({ quality: 86, mozjpeg: true })
};
const fineWebp: Candidate = {
	...webp,
	extension: 'fine.webp',
	encode: (image) => image.webp({ quality: 90, effort: 4 })
};

const candidates: Record<string, readonly Candidate[]> = {
	'image/jpeg': [webp, jpeg],
	'image/png': [losslessWebp, fineWebp],
	'image/tiff': [losslessWebp, fineWebp],
	'image/webp': [webp],
	'image/gif': [losslessWebp]
};

export const squeezeImage: Squeeze = async ({
	path: source,
	sizeBytes,
	fileType,
	scratchDir,
	alive
}): Promise<Compressed> => {
	const metadata = await metadataOf(source, fileType);
	checkPixels(metadata);
	const picture = await openImage(source, fileType);
	try {
		const pictures = await makePictures(picture().timeout(timeout), scratchDir);
		alive();
		const { width, height } = metadata.autoOrient;
		const compressed = await smallest({ picture, metadata, fileType, scratchDir, sizeBytes, alive });
		return { ...pictures, width, height, compressed };
	} catch (error) {
		return translateImageError(error);
	}
};

/** The original, which may be large, is decoded once for both. */
export async function makePictures(
	image: Sharp,
	scratchDir: string
): Promise<Pick<Compressed, 'thumbnail' | 'preview'>> {
	const { data, info } = await inside(image.autoOrient(), previewSide)
		.raw()
		.toBuffer({ resolveWithObject: true });
	const write = async (name: string, side: number): Promise<Derived> => {
		const file = path.join(scratchDir, `${name}.webp`);
		const { size } = await inside(sharp(data, { raw: info }), side)
			.webp({ quality: 78 })
			.toFile(file);
		return { path: file, type: 'image/webp', bytes: size };
	};
	return {
		thumbnail: await write('thumbnail', thumbnailSide),
		preview: await write('preview', previewSide)
	};
}

function inside(image: Sharp, side: number): Sharp {
	return image.resize(side, side, { fit: 'inside', withoutEnlargement: true });
}

function checkPixels({ width, height }: Metadata): void {
	const pixels = width * height;
	if (pixels > limits.maxImagePixels)
		throw problem('image.too_many_pixels', { details: { pixels, max: limits.maxImagePixels } });
}

type Contest = {
	picture: Picture;
	metadata: Metadata;
	fileType: string;
	scratchDir: string;
	sizeBytes: number;
	alive(): void;
};

async function smallest({
	picture,
	metadata,
	fileType,
	scratchDir,
	sizeBytes,
	alive
}: Contest): Promise<Derived | undefined> {
	const { pages = 1, width, height } = metadata;
	const isAnimated = pages > 1 && (fileType === 'image/gif' || fileType === 'image/webp');
	if (isAnimated && width * height * pages > maxAnimatedPixels) return undefined;
	// Several pages that are no animation (TIFF) would be lost in another format.
	if (pages > 1 && !isAnimated) return undefined;
	let best: Derived | undefined;
	const isTooLong = Math.max(width, height) > maxWebpSide;
	for (const { type, extension, encode } of candidates[fileType] ?? []) {
		if (isTooLong && type === webp.type) continue;
		const file = path.join(scratchDir, `compressed.${extension}`);
		const image = isAnimated ? picture({ animated: true }) : picture().autoOrient();
		const { size } = await encode(image.timeout(timeout)).toFile(file);
		alive();
		const loser = size < (best?.bytes ?? sizeBytes) ? best?.path : file;
		if (loser !== file) best = { path: file, type, bytes: size };
		if (loser !== undefined) await rm(loser);
	}
	return best;
}
