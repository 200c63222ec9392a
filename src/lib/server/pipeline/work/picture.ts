import type { Sharp } from 'sharp';

/** Longest side, in pixels: small print stays readable, and no model takes much more. */
export const maxSide = 2000;
/** sharp runs outside JavaScript, where no kill reaches it: it ends itself. */
const timeout = { seconds: 50 };

/** As a model is shown it: upright, on white, a JPEG. */
export function toPicture(image: Sharp): Promise<Uint8Array> {
	return image
		.timeout(timeout)
		.autoOrient()
		.resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true })
		.flatten({ background: 'white' })
		.jpeg({ quality: 80 })
		.toBuffer();
}
