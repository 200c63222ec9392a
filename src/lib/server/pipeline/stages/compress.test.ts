import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
	makeAnimation,
	makeHeic,
	makeHeif,
	makeHugePng,
	makeImage,
	makeLongPdf,
	makePdf,
	makeSvg,
	makeText,
	truncated
} from '../../../../../tests/support/make-files.ts';
import { collect, type TestInput, useStages } from '../../../../../tests/support/stage-input.ts';
import type { Compressed, StageInput } from '../stage.ts';

const { stages, prepare } = useStages(2);

async function squeeze(
	bytes: Buffer,
	type: string,
	extra: Partial<StageInput> = {}
): Promise<Compressed & { input: TestInput }> {
	const input = await prepare(bytes, type, extra);
	return { ...(await stages.compress(input)), input };
}

/** What is told is there, with the told size, and nothing else is left in the folder. */
async function expectTidy({
	compressed,
	thumbnail,
	preview,
	input
}: Compressed & { input: TestInput }): Promise<void> {
	const told = [compressed, thumbnail, preview].filter((derived) => derived !== undefined);
	for (const derived of told) expect((await stat(derived.path)).size).toBe(derived.bytes);
	expect((await readdir(input.scratchDir)).sort()).toEqual(
		told.map((derived) => path.basename(derived.path)).sort()
	);
	if (compressed) expect(compressed.bytes).toBeLessThan(input.sizeBytes);
}

describe('pictures', () => {
	test.each(['jpeg', 'png', 'tiff', 'webp', 'gif'] as const)(
		'%s: something smaller, and pictures in two sizes',
		async (format) => {
			const result = await squeeze(await makeImage({ format, width: 900, height: 500 }), `image/${format}`);
			await expectTidy(result);
			expect(result).toMatchObject({ width: 900, height: 500, thumbnail: { type: 'image/webp' } });
			const thumbnail = await sharp(result.thumbnail?.path).metadata();
			expect([thumbnail.width, thumbnail.height]).toEqual([320, 178]);
			const preview = await sharp(result.preview?.path).metadata();
			expect([preview.width, preview.height]).toEqual([800, 444]);
			if (result.compressed) {
				const made = await sharp(result.compressed.path).metadata();
				expect([made.width, made.height]).toEqual([900, 500]);
			}
		}
	);

	test('lossless formats stay alike to the eye', async () => {
		const original = await makeImage({ format: 'png', width: 400, height: 300 });
		const { compressed } = await squeeze(original, 'image/png');
		const [before, after] = await Promise.all(
			[original, compressed?.path].map((input) => sharp(input).removeAlpha().raw().toBuffer())
		);
		const error =
			(before ?? Buffer.alloc(0)).reduce((sum, value, i) => sum + (value - (after?.[i] ?? 0)) ** 2, 0) /
			(before?.length ?? 1);
		expect(error).toBeLessThan(9);
	});

	test('nothing is returned when nothing is smaller', async () => {
		const tiny = await makeImage({ format: 'webp', width: 8, height: 8, look: 'noise' });
		const result = await squeeze(tiny, 'image/webp');
		await expectTidy(result);
		expect(result.thumbnail).toBeDefined();
	});

	test('are turned upright, and lose what tells where they were taken', async () => {
		const exif = { IFD3: { GPSLatitude: '51/1 30/1 0/1' }, IFD0: { Make: 'Canon' } };
		const bytes = await makeImage({ format: 'jpeg', width: 300, height: 100, exif, orientation: 6 });
		const result = await squeeze(bytes, 'image/jpeg');
		expect([result.width, result.height]).toEqual([100, 300]);
		const thumbnail = await sharp(result.thumbnail?.path).metadata();
		expect([thumbnail.width, thumbnail.height]).toEqual([100, 300]);
		for (const derived of [result.thumbnail, result.compressed]) {
			if (derived) expect((await sharp(derived.path).metadata()).exif).toBeUndefined();
		}
	});

	test.each(['gif', 'webp'] as const)('an animated %s keeps its frames', async (format) => {
		const result = await squeeze(await makeAnimation(format, 6, 64), `image/${format}`);
		await expectTidy(result);
		if (format === 'gif') expect(result.compressed).toBeDefined();
		if (result.compressed) expect((await sharp(result.compressed.path).metadata()).pages).toBe(6);
		expect((await sharp(result.thumbnail?.path).metadata()).pages ?? 1).toBe(1);
	});

	test('with a side that WebP cannot have are no failure', async () => {
		for (const [format, type] of [
			['png', 'image/png'],
			['jpeg', 'image/jpeg']
		] as const) {
			const long = await prepare(await makeImage({ format, width: 17_000, height: 20 }), type);
			const { thumbnail, width, compressed } = await stages.compress(long);
			expect([thumbnail?.type, width]).toEqual(['image/webp', 17_000]);
			expect(compressed?.type).not.toBe('image/webp');
		}
	});

	test('a TIFF of several pages is not reduced to its first', async () => {
		const first = await makeImage({ format: 'png', width: 60, height: 40 });
		const tiff = await sharp([first, first], { join: { animated: true } })
			.tiff()
			.toBuffer();
		expect((await sharp(tiff).metadata()).pages).toBe(2);
		const result = await squeeze(tiff, 'image/tiff');
		expect(result.compressed).toBeUndefined();
		expect(result.thumbnail).toBeDefined();
	});

	test('an SVG is drawn without fetching anything, and its text is packed', async () => {
		let requests = 0;
		const server = createServer((_request, response) => {
			requests++;
			response.end();
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const address = server.address();
		const port = typeof address === 'object' && address ? address.port : 0;
		const url = `http://127.0.0.1:${port}/x.png`;
		const body = `<image href="${url}" width="9" height="9"/><image xlink:href="file:///etc/passwd" width="9" height="9"/>${'<rect width="80" height="50" fill="teal"/>'.repeat(50)}`;
		const result = await squeeze(makeSvg(body), 'image/svg+xml');
		server.close();
		await expectTidy(result);
		expect(requests).toBe(0);
		expect(result.compressed?.type).toBe('application/zstd');
		expect((await sharp(result.thumbnail?.path).metadata()).width).toBe(80);
	});

	test('AVIF that calls itself HEIF', async () => {
		const result = await squeeze(await makeHeif(), 'image/avif');
		await expectTidy(result);
		expect(result).toMatchObject({ width: 64, height: 48, thumbnail: { type: 'image/webp' } });
	});

	test('HEIC gets pictures that a browser can show, in its colours', async () => {
		const result = await squeeze(await makeHeic(), 'image/heic');
		await expectTidy(result);
		expect(result).toMatchObject({ width: 32, height: 32, preview: { type: 'image/webp' } });
		const { data, info } = await sharp(result.preview?.path).raw().toBuffer({ resolveWithObject: true });
		const isBright = (x: number, y: number) =>
			[0, 1, 2].map((i) => (data[(y * info.width + x) * info.channels + i] ?? 0) > 128);
		expect(isBright(8, 8)).toEqual([true, false, false]);
		expect(isBright(24, 8)).toEqual([false, true, false]);
		expect(isBright(8, 24)).toEqual([false, false, true]);
		expect(isBright(24, 24)).toEqual([true, true, false]);
	});

	test('HEIC that is damaged, or would need too much memory, has its code', async () => {
		const heic = await makeHeic();
		await expect(squeeze(heic.subarray(0, 1000), 'image/heic')).rejects.toMatchObject({
			code: 'file.damaged'
		});
		const size = heic.indexOf('ispe') + 8;
		for (const side of [9_000, 20_000]) {
			heic.writeUInt32BE(side, size);
			heic.writeUInt32BE(side, size + 4);
			await expect(squeeze(heic, 'image/heic')).rejects.toMatchObject({ code: 'image.too_many_pixels' });
		}
	});

	test('too many pixels, truncation and garbage each have their code', async () => {
		await expect(squeeze(makeHugePng(), 'image/png')).rejects.toMatchObject({
			code: 'image.too_many_pixels'
		});
		const photo = await makeImage({ format: 'jpeg', width: 800, height: 800, look: 'noise' });
		await expect(squeeze(truncated(photo), 'image/jpeg')).rejects.toMatchObject({ code: 'file.damaged' });
		await expect(squeeze(Buffer.from('garbage'), 'image/png')).rejects.toMatchObject({
			code: 'file.damaged'
		});
	});
});

describe('text', () => {
	test('is packed by zstd and comes back byte by byte', async () => {
		const original = makeText('The same words again and again, äöü. '.repeat(3000));
		const result = await squeeze(original, 'text/plain');
		await expectTidy(result);
		expect(result.compressed?.type).toBe('application/zstd');
		expect(zstdDecompressSync(await readFile(result.compressed?.path ?? '')).equals(original)).toBe(true);
		expect(result.input.ticks.at(-1)).toEqual({
			done: original.length,
			total: original.length,
			unit: 'bytes'
		});
	});

	test('too short to gain anything is left alone', async () => {
		const result = await squeeze(makeText('hi'), 'text/plain');
		await expectTidy(result);
		expect(result.compressed).toBeUndefined();
	});
});

describe('PDF', () => {
	test('gets pictures of its first page', async () => {
		const result = await squeeze(makePdf(['Hello', 'World']), 'application/pdf');
		await expectTidy(result);
		const sizes = [result.thumbnail, result.preview].map(async (derived) => {
			const { width, height } = await sharp(derived?.path).metadata();
			return [width, height];
		});
		expect(await Promise.all(sizes)).toEqual([
			[226, 320],
			[565, 800]
		]);
		const { channels } = await sharp(result.thumbnail?.path).stats();
		expect(channels[0]?.min).toBeLessThan(150); // there is ink on the page
	});

	test('is packed tighter and says the same, page by page', async () => {
		const original = makeLongPdf(30);
		const result = await squeeze(original, 'application/pdf');
		await expectTidy(result);
		expect(result.compressed?.type).toBe('application/pdf');
		expect(result.compressed?.bytes ?? Infinity).toBeLessThan(original.length / 2);
		const packed = await prepare(await readFile(result.compressed?.path ?? ''), 'application/pdf');
		expect(await collect(stages.extract(packed))).toEqual(await collect(stages.extract(result.input)));
	});

	test('damaged or encrypted has no picture and no copy, and is no failure: the reading will tell', async () => {
		for (const bytes of [Buffer.from('%PDF-1.4 nothing'), makePdf(['x'], { password: 'secret' })]) {
			const result = await squeeze(bytes, 'application/pdf');
			expect([result.thumbnail, result.preview, result.compressed]).toEqual([
				undefined,
				undefined,
				undefined
			]);
			await expectTidy(result);
		}
	});
});

test('a cancelled compression stops', async () => {
	const controller = new AbortController();
	const running = squeeze(await makeImage({ width: 3000, height: 3000, look: 'noise' }), 'image/png', {
		signal: controller.signal
	});
	const failed = expect(running).rejects.toThrow('stop');
	setTimeout(() => controller.abort(new Error('stop')), 300);
	await failed;
});
