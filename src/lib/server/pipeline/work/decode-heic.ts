// HEIC, as phones take pictures. sharp reads the container but has no decoder for HEVC; libheif as WebAssembly has one,
// and whatever a file does to it stays inside this worker.
import { readFile } from 'node:fs/promises';
import libheif from 'libheif-js/wasm-bundle.js';
import { problem } from '#lib/server/errors.ts';

/** A decoded picture is held several times, four bytes a pixel: the largest that a task's memory has room for. */
const maxPixels = 64_000_000;

export type Decoded = { data: Uint8ClampedArray; raw: { width: number; height: number; channels: 4 } };

/** Upright already. */
export async function decodeHeic(path: string): Promise<Decoded> {
	const images = new libheif.HeifDecoder().decode(await readFile(path));
	try {
		const image = images.find((one) => one.is_primary()) ?? images[0];
		if (!image) throw problem('file.damaged');
		const [width, height] = [image.get_width(), image.get_height()];
		const pixels = width * height;
		if (pixels > maxPixels) throw problem('image.too_many_pixels', { details: { pixels, max: maxPixels } });
		const data = new Uint8ClampedArray(pixels * 4);
		await new Promise<void>((resolve, reject) => {
			image.display({ data, width, height }, (shown) =>
				shown ? resolve() : reject(problem('file.damaged'))
			);
		});
		return { data, raw: { width, height, channels: 4 } };
	} finally {
		for (const image of images) image.free();
	}
}
