import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';

/** A fresh folder for each test of the surrounding describe. */
export function useTempFolder(): () => string {
	let folder = '';
	beforeEach(async () => {
		folder = await mkdtemp(path.join(tmpdir(), 'asura-'));
	});
	afterEach(() => rm(folder, { recursive: true, force: true }));
	return () => folder;
}
