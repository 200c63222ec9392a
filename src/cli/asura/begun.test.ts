import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBegun, stateFolder } from './begun.ts';

let folder: string;
beforeEach(async () => {
	folder = path.join(await mkdtemp(path.join(tmpdir(), 'asura-begun-')), 'asura/uploads');
});
afterEach(() => rm(path.resolve(folder, '../..'), { recursive: true, force: true }));

const print = (size = 1) => ({ server: 'http://a', place: '/a.pdf', folder: '', size, modified: 1 });

it('is found again by the same file for the same server, until it has ended', () => {
	const place = openBegun(folder).placeOf(print());
	expect(place.begun).toBeUndefined();
	place.put('/api/uploads/1');
	const later = openBegun(folder);
	expect(later.placeOf(print()).begun).toBe('/api/uploads/1');
	expect(later.placeOf(print(2)).begun).toBeUndefined();
	expect(later.placeOf({ ...print(), server: 'http://b' }).begun).toBeUndefined();
	place.forget();
	expect(openBegun(folder).placeOf(print()).begun).toBeUndefined();
});

it('belongs to one at a time, in this process and beside others', async () => {
	const begun = openBegun(folder);
	const first = begun.placeOf(print());
	first.put('/api/uploads/1');
	const second = begun.placeOf(print());
	expect(second.begun).toBeUndefined();
	second.put('/api/uploads/2');
	second.forget();
	first.close();
	expect(begun.placeOf(print()).begun).toBe('/api/uploads/1');

	const [name = ''] = await readdir(folder);
	// The process that started this one lives.
	await writeFile(path.join(folder, name), JSON.stringify({ path: '/api/uploads/1', pid: process.ppid }));
	expect(openBegun(folder).placeOf(print()).begun).toBeUndefined();
	await writeFile(path.join(folder, name), 'nonsense');
	expect(openBegun(folder).placeOf(print()).begun).toBeUndefined();
});

it('keeps at most 200, none for longer than a day, each for its person alone', async () => {
	const begun = openBegun(folder);
	begun.placeOf(print(0)).put('/api/uploads/0');
	const [old = ''] = await readdir(folder);
	const yesterday = Date.now() / 1000 - 86_500;
	await utimes(path.join(folder, old), yesterday, yesterday);
	expect(openBegun(folder).placeOf(print(0)).begun).toBeUndefined();
	for (let size = 1; size <= 210; size++) begun.placeOf(print(size)).put(`/api/uploads/${size}`);
	const names = await readdir(folder);
	expect(names).toHaveLength(200);
	expect(names).not.toContain(old);
	expect((await stat(path.join(folder, names[0] ?? ''))).mode & 0o777).toBe(0o600);
});

it('lies where a person’s programs keep such things', () => {
	expect(stateFolder({ HOME: '/home/ada' })).toBe('/home/ada/.local/state/asura/uploads');
	expect(stateFolder({ HOME: '/home/ada', XDG_STATE_HOME: '/state' })).toBe('/state/asura/uploads');
});
