// What every BlobStore does, wherever the bytes are.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import type { BlobStore } from '#lib/server/platform/platform.ts';

export function blobsContract(name: string, open: () => Promise<BlobStore>): void {
	describe(`${name} is a BlobStore`, () => {
		let blobs: BlobStore;
		beforeEach(async () => {
			blobs = await open();
		});

		const put = (key: string, text: string) => blobs.put(key, Readable.from([Buffer.from(text)]));
		const read = async (key: string, range?: { start: number; end: number }) =>
			(await buffer(await blobs.get(key, range))).toString();
		const keys = async (prefix: string) => {
			const all = await Array.fromAsync(blobs.list(prefix), (blob) => blob.key);
			return all.sort();
		};

		test('gives back the bytes that were put, also many of them', async () => {
			const bytes = randomBytes(3_000_000);
			expect(await blobs.put('a/original', Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]))).toEqual(
				{
					bytes: bytes.length
				}
			);
			expect(bytes.equals(await buffer(await blobs.get('a/original')))).toBe(true);
		});

		test('keeps an empty blob', async () => {
			expect(await blobs.put('a/text', Readable.from([]))).toEqual({ bytes: 0 });
			expect(await read('a/text')).toBe('');
		});

		test('gives a range, with both ends in it, cut at the end of the blob', async () => {
			await put('a/original', '0123456789');
			expect(await read('a/original', { start: 0, end: 0 })).toBe('0');
			expect(await read('a/original', { start: 3, end: 5 })).toBe('345');
			expect(await read('a/original', { start: 8, end: 99 })).toBe('89');
		});

		test('refuses a range that is not in the blob', async () => {
			await put('a/original', '0123456789');
			for (const range of [
				{ start: 10, end: 11 },
				{ start: 5, end: 4 },
				{ start: -1, end: 4 }
			]) {
				await expect(blobs.get('a/original', range)).rejects.toMatchObject({ code: 'file.range_invalid' });
			}
		});

		test('says what it knows of a blob, and nothing of one that is not there', async () => {
			const before = Date.now() - 2_000;
			await put('a/original', 'abc');
			const info = await blobs.stat('a/original');
			expect(info).toMatchObject({ key: 'a/original', bytes: 3 });
			expect(info?.modifiedAt.getTime()).toBeGreaterThan(before);
			expect(await blobs.stat('a')).toBeUndefined();
			expect(await blobs.stat('a/original/more')).toBeUndefined();
			expect(await blobs.stat('b/original')).toBeUndefined();
		});

		test('has no bytes for a key that is not there', async () => {
			await expect(blobs.get('a/original')).rejects.toMatchObject({ code: 'file.variant_missing' });
			await put('a/original', 'abc');
			await expect(blobs.get('a')).rejects.toMatchObject({ code: 'file.variant_missing' });
			await expect(blobs.get('a/original/more')).rejects.toMatchObject({ code: 'file.variant_missing' });
		});

		test('replaces a blob as a whole; who was reading it goes on with the old one', async () => {
			await put('a/original', 'old '.repeat(50_000));
			const reading = await blobs.get('a/original');
			await put('a/original', 'new');
			expect(await read('a/original')).toBe('new');
			expect((await buffer(reading)).toString()).toBe('old '.repeat(50_000));
		});

		test('leaves nothing of a stream that fails, and keeps what was there before', async () => {
			await put('a/original', 'before');
			const failing = Readable.from(
				(async function* () {
					yield Buffer.from('half of ');
					throw new Error('the line went dead');
				})()
			);
			await expect(blobs.put('a/original', failing)).rejects.toThrow('the line went dead');
			expect(await read('a/original')).toBe('before');
			await expect(blobs.put('b/original', Readable.from(failing))).rejects.toThrow();
			expect(await keys('')).toEqual(['a/original']);
		});

		test('leaves nothing of a stream that is broken off', async () => {
			const half = new Readable({ read: () => undefined });
			half.push('half');
			const put = blobs.put('b/original', half);
			half.destroy();
			await expect(put).rejects.toThrow();
			expect(await keys('')).toEqual([]);
		});

		test('lists keys by their beginning', async () => {
			for (const key of ['ab/original', 'ab/text', 'abc/original', 'b/original']) await put(key, key);
			expect(await keys('')).toEqual(['ab/original', 'ab/text', 'abc/original', 'b/original']);
			expect(await keys('ab')).toEqual(['ab/original', 'ab/text', 'abc/original']);
			expect(await keys('ab/')).toEqual(['ab/original', 'ab/text']);
			expect(await keys('ab/t')).toEqual(['ab/text']);
			expect(await keys('c/')).toEqual([]);
			for await (const { key, bytes } of blobs.list('')) expect(bytes).toBe(key.length);
		});

		test('removes blobs, and does not mind those that are not there', async () => {
			for (const key of ['a/original', 'a/text', 'b/original']) await put(key, key);
			await blobs.remove(['a/original', 'a/thumbnail', 'c/original', 'a/text']);
			expect(await keys('')).toEqual(['b/original']);
			await put('a/original', 'again');
			expect(await read('a/original')).toBe('again');
		});

		test('puts and removes neighbours at the same time without losing one', async () => {
			const rounds = Array.from({ length: 40 }, (_, i) => `a/${i}`);
			await Promise.all(rounds.map((key) => put(key, key)));
			await Promise.all([
				...rounds.slice(0, 20).map((key) => blobs.remove([key])),
				...rounds.slice(20).map((key) => blobs.remove([key]).then(() => put(key, 'new')))
			]);
			expect(await keys('a/')).toEqual(rounds.slice(20).sort());
		});

		test('lends a blob as a file', async () => {
			await put('a/original', 'abc');
			expect(await blobs.withLocalFile('a/original', (path) => readFile(path, 'utf8'))).toBe('abc');
			await expect(blobs.withLocalFile('b/original', async () => undefined)).rejects.toMatchObject({
				code: 'file.variant_missing'
			});
		});

		test.each([
			'',
			'/',
			'a/',
			'/a',
			'../a',
			'a/../b',
			'a/./b',
			'a//b',
			'.hidden',
			'A',
			'a\\b',
			'a b',
			'ä',
			'a\0',
			'a\n'
		])('refuses %j as a key', async (key) => {
			await expect(put(key, 'x')).rejects.toThrow(/Not a blob key/);
			await expect(blobs.get(key)).rejects.toThrow(/Not a blob key/);
			await expect(blobs.stat(key)).rejects.toThrow(/Not a blob key/);
			await expect(blobs.remove([key])).rejects.toThrow(/Not a blob key/);
			await expect(blobs.withLocalFile(key, async () => undefined)).rejects.toThrow(/Not a blob key/);
		});
	});
}
