import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { blobsContract } from '../../../../../tests/contract/blobs.ts';
import { useTempFolder } from '../../../../../tests/support/temp-folder.ts';
import { openDiskBlobs } from './disk-blobs.ts';

const folder = useTempFolder();

blobsContract('DiskBlobs', () => openDiskBlobs(path.join(folder(), 'files')));

test('what a process that died was writing is swept away, and is never seen', async () => {
	const incoming = path.join(folder(), '.incoming');
	await mkdir(incoming);
	await writeFile(path.join(incoming, 'half'), 'half of a blob');
	const blobs = await openDiskBlobs(folder());
	expect(await readdir(incoming)).toEqual([]);
	expect(await Array.fromAsync(blobs.list(''))).toEqual([]);
});

test('no empty folder stays behind', async () => {
	const blobs = await openDiskBlobs(folder());
	await blobs.put('a/original', Readable.from(['x']));
	await blobs.put('a/text', Readable.from(['x']));
	await blobs.remove(['a/original']);
	expect(await readdir(folder())).toEqual(['.incoming', 'a']);
	await blobs.remove(['a/text']);
	expect(await readdir(folder())).toEqual(['.incoming']);
});

test('nothing of a failed blob stays in the incoming folder', async () => {
	const blobs = await openDiskBlobs(folder());
	const failing = new Readable({ read: (): void => void failing.destroy(new Error('gone')) });
	await expect(blobs.put('a/original', failing)).rejects.toThrow('gone');
	expect(await readdir(path.join(folder(), '.incoming'))).toEqual([]);
});
