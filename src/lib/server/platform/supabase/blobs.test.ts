import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blobsContract } from '../../../../../tests/contract/blobs.ts';
import { eventually } from '../../../../../tests/support/eventually.ts';
import {
	startStorageDouble,
	type StorageDouble
} from '../../../../../tests/support/supabase-storage-double.ts';
import { useTempFolder } from '../../../../../tests/support/temp-folder.ts';
import { silentLog } from '../../log.ts';
import { createScratch } from '../../scratch.ts';
import { createSupabaseBlobs, type SupabaseBlobs } from './blobs.ts';

const tmpDir = useTempFolder();
const stallMs = 300;
const megabyte = 1024 * 1024;
let storage: StorageDouble;
beforeEach(async () => void (storage = await startStorageDouble()));
afterEach(() => storage.stop());

function open(secretKey = storage.secretKey): SupabaseBlobs {
	const supabase = { url: storage.url, publishableKey: 'sb_publishable_x', secretKey };
	return createSupabaseBlobs({
		supabase,
		scratch: createScratch(tmpDir()),
		log: silentLog,
		retryMs: [5, 5, 5],
		stallMs
	});
}
const put = (key: string, bytes: Buffer | string) => open().put(key, Readable.from([Buffer.from(bytes)]));
const methods = () => storage.asked.map(({ method }) => method);

blobsContract('SupabaseBlobs, against a double of Storage,', async () => open());

describe('a large blob', () => {
	const large = randomBytes(14 * megabyte);

	test('goes in pieces of 6 MB, and is there only when all of it is', async () => {
		expect(await put('a/original', large)).toEqual({ bytes: large.length });
		expect(storage.asked.map(({ method, bytes }) => [method, bytes])).toEqual([
			['POST', 0],
			['PATCH', 6 * megabyte],
			['PATCH', 6 * megabyte],
			['PATCH', 2 * megabyte]
		]);
		expect(storage.objects.get('a/original')?.bytes.equals(large)).toBe(true);
		expect(await readdir(tmpDir())).toEqual([]);
	});

	test('goes on where it was, after a broken connection and after an answer that was lost', async () => {
		storage.fail('PATCH', { kind: 'reset' }, { kind: 'lost answer' }, { kind: 'status', status: 503 });
		await put('a/original', large);
		expect(storage.objects.get('a/original')?.bytes.equals(large)).toBe(true);
		expect(methods().filter((method) => method === 'HEAD')).toHaveLength(1);
		expect(methods().filter((method) => method === 'POST')).toHaveLength(1);
	});

	test('is begun again when Storage has forgotten the upload', async () => {
		storage.fail('PATCH', { kind: 'status', status: 410 });
		await put('a/original', large);
		expect(storage.objects.get('a/original')?.bytes.equals(large)).toBe(true);
		expect(methods().filter((method) => method === 'POST')).toHaveLength(2);
	});

	test('is begun again when the last answer was lost: the object may not have been made', async () => {
		storage.fail('PATCH', { kind: 'none' }, { kind: 'lost answer' });
		await put('a/original', large.subarray(0, 7 * megabyte));
		expect(storage.objects.get('a/original')?.bytes.length).toBe(7 * megabyte);
		expect(methods().filter((method) => method === 'POST')).toHaveLength(2);
	});

	test('leaves nothing when it cannot be finished, neither there nor here', async () => {
		storage.fail('PATCH', ...Array<{ kind: 'reset' }>(4).fill({ kind: 'reset' }));
		await expect(put('a/original', large)).rejects.toMatchObject({ code: 'server.unavailable' });
		expect(storage.objects.size).toBe(0);
		expect(await readdir(tmpDir())).toEqual([]);
	});
});

describe('failures that pass', () => {
	test.each([
		['a broken connection', { kind: 'reset' }],
		['an answer that was lost', { kind: 'lost answer' }],
		['an overloaded server', { kind: 'status', status: 503 }],
		['too many requests', { kind: 'status', status: 429 }],
		['a failure that is dressed as a bad request', { kind: 'wrapped', status: 544 }]
	] as const)('%s: the blob is put all the same', async (_, fault) => {
		storage.fail('POST', fault, fault);
		await put('a/original', 'whole');
		expect(storage.objects.get('a/original')?.bytes.toString()).toBe('whole');
		expect(methods()).toEqual(['POST', 'POST', 'POST']);
	});

	test('a refusal is not asked for again', async () => {
		storage.fail('POST', { kind: 'wrapped', status: 413 });
		await expect(put('a/original', 'whole')).rejects.toMatchObject({ code: 'upload.too_large' });
		expect(methods()).toEqual(['POST']);
	});

	test('one that does not pass is said to be that', async () => {
		storage.fail('GET', ...Array<{ kind: 'reset' }>(4).fill({ kind: 'reset' }));
		await expect(open().stat('a/original')).rejects.toMatchObject({ code: 'server.unavailable' });
	});
});

describe('a download', () => {
	const bytes = randomBytes(300_000);
	beforeEach(async () => void (await put('a/original', bytes)));

	test.each(['cut', 'stall'] as const)('that is %s fails instead of ending early', async (kind) => {
		storage.fail('GET', { kind });
		await expect(buffer(await open().get('a/original'))).rejects.toThrow();
	});

	test.each(['cut', 'stall'] as const)('into a file is begun again when it is %s', async (kind) => {
		storage.fail('GET', { kind });
		const read = await open().withLocalFile('a/original', (file) => readFile(file));
		expect(read.equals(bytes)).toBe(true);
		expect(await readdir(tmpDir())).toEqual([]);
	});

	test('waits for a reader that takes its time', async () => {
		await put('a/original', randomBytes(3_000_000));
		const stream = await open().get('a/original');
		stream.once('readable', () => undefined);
		await eventually(() => expect(stream.readableLength).toBeGreaterThan(0));
		const heldSince = performance.now();
		await eventually(() => expect(performance.now() - heldSince).toBeGreaterThan(2 * stallMs));
		expect((await buffer(stream)).length).toBe(3_000_000);
	});

	test('ends at the other side when nobody reads it any more', async () => {
		await put('a/original', randomBytes(20_000_000));
		const stream = await open().get('a/original');
		stream.destroy();
		await eventually(() => expect(storage.open).toBe(0));
	});
});

describe('what is missing', () => {
	test('is not said of a blob when the bucket cannot be seen: the key may be wrong', async () => {
		await put('a/original', 'x');
		const stranger = open('sb_secret_of_another_project');
		await expect(stranger.stat('a/original')).rejects.toMatchObject({ code: 'server.unavailable' });
		await expect(stranger.get('a/original')).rejects.toMatchObject({ code: 'server.unavailable' });
		await expect(stranger.withLocalFile('a/original', async () => 1)).rejects.toMatchObject({
			code: 'server.unavailable'
		});
	});

	test('the bucket itself is a failure, not an empty store', async () => {
		storage.bucket = undefined;
		await expect(open().stat('a/original')).rejects.toThrow(/Bucket not found/);
		await expect(Array.fromAsync(open().list(''))).rejects.toThrow(/Bucket not found/);
	});
});

test('a list goes on to the next page', async () => {
	for (let i = 0; i < 1001; i++)
		storage.objects.set(`a/${i}`, { bytes: Buffer.from('x'), updatedAt: new Date() });
	expect(await Array.fromAsync(open().list('a/'))).toHaveLength(1001);
	expect(methods()).toEqual(['POST', 'POST']);
});

test('many blobs are removed in batches', async () => {
	const keys = Array.from({ length: 250 }, (_, i) => `a/${i}`);
	for (const key of keys) storage.objects.set(key, { bytes: Buffer.from('x'), updatedAt: new Date() });
	await open().remove(keys);
	expect(storage.objects.size).toBe(0);
	expect(methods()).toEqual(['DELETE', 'DELETE', 'DELETE']);
});

test('an address can be signed for somebody without a key', async () => {
	await put('a/original', 'for you');
	const url = await open().signedUrl('a/original', 60);
	expect(await (await fetch(url)).text()).toBe('for you');
	await expect(open().signedUrl('b/original', 60)).rejects.toMatchObject({ code: 'file.variant_missing' });
});
