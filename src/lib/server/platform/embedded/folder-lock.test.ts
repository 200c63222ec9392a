import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from '../../config.ts';
import { startChild } from '../../../../../tests/support/child.ts';
import { useTempFolder } from '../../../../../tests/support/temp-folder.ts';
import { findOwner, lockFolder } from './folder-lock.ts';

const folder = useTempFolder();
const script = path.resolve(import.meta.dirname, '../../../../../tests/support/lock-folder.ts');
const start = () => startChild(script, [folder()]);
const lockFile = () => path.join(folder(), 'lock');
const readLock = async () => JSON.parse(await readFile(lockFile(), 'utf8'));

test('a second process is refused with one sentence that names the folder and the first', async () => {
	const first = start();
	expect(await first.nextLine()).toBe('locked');
	const refusal = await start().nextLine();
	expect(refusal).toContain(
		`ConfigError: The data folder ${folder()} is in use by another Asura (process ${first.pid} `
	);
	expect(await findOwner(folder())).toMatchObject({ pid: first.pid });
});

test('the same process is refused a second time, too', async () => {
	const unlock = await lockFolder(folder());
	await expect(lockFolder(folder())).rejects.toThrow(ConfigError);
	await unlock();
});

test('the lock is gone when its owner gives it back', async () => {
	const unlock = await lockFolder(folder());
	await unlock();
	expect(await readdir(folder())).toEqual([]);
	expect(await findOwner(folder())).toBeUndefined();
});

test('the lock of a process that was killed is taken over', async () => {
	const first = start();
	await first.nextLine();
	await first.kill('SIGKILL');
	expect(await findOwner(folder())).toBeUndefined();
	expect(await start().nextLine()).toBe('locked');
	expect(await readdir(folder())).toEqual(['lock']);
});

test('of many that start at the same time exactly one gets it: an empty folder, then a dead owner, again and again', async () => {
	for (let round = 0; round < 4; round++) {
		const starters = Array.from({ length: 6 }, start);
		const answers = await Promise.all(starters.map((one) => one.nextLine()));
		expect(answers.filter((answer) => answer === 'locked')).toHaveLength(1);
		await Promise.all(starters.map((one) => one.kill('SIGKILL')));
	}
});

test('another process with the number of the dead owner is not taken for it', async () => {
	await (
		await lockFolder(folder())
	)();
	const unlock = await lockFolder(folder());
	const own = await readLock();
	await unlock();
	await writeFile(
		lockFile(),
		JSON.stringify({ ...own, nonce: 'x', began: 'before the machine was restarted' })
	);
	await (
		await lockFolder(folder())
	)();
});

test('an owner in another container, whose process cannot be seen, is alive as long as it says so', async () => {
	const unlock = await lockFolder(folder());
	const own = await readLock();
	await unlock();
	await writeFile(lockFile(), JSON.stringify({ ...own, nonce: 'x', pid: 1, place: 'elsewhere pid:[1]' }));
	await expect(lockFolder(folder())).rejects.toThrow(/process 1 on elsewhere/);
	const longAgo = new Date(Date.now() - 60_000);
	await utimes(lockFile(), longAgo, longAgo);
	await (
		await lockFolder(folder())
	)();
});

test('a successor who died before he finished is succeeded himself', async () => {
	const unlock = await lockFolder(folder());
	const dead = { ...(await readLock()), began: 'long ago' };
	await unlock();
	await writeFile(lockFile(), JSON.stringify({ ...dead, nonce: 'a' }));
	await writeFile(`${lockFile()}.a`, JSON.stringify({ ...dead, nonce: 'b' }));
	await lockFolder(folder());
	expect(await readdir(folder())).toEqual(['lock']);
	await expect(lockFolder(folder())).rejects.toThrow(ConfigError);
});

test('who comes late with a claim on an owner that has been succeeded gives it up', async () => {
	const unlock = await lockFolder(folder());
	await writeFile(`${lockFile()}.a`, JSON.stringify({ ...(await readLock()), nonce: 'late' }));
	await expect(lockFolder(folder())).rejects.toThrow(/is in use/);
	await unlock();
});

test('a file that is no lock is left alone', async () => {
	await writeFile(lockFile(), 'my notes');
	await expect(lockFolder(folder())).rejects.toThrow(/is not a lock of Asura/);
	expect(await readFile(lockFile(), 'utf8')).toBe('my notes');
});
