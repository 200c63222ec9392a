import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { removeFolder } from './remove-folder.ts';

/** A fresh folder for each test of the surrounding describe. */
export function useTempFolder(): () => string {
	let folder = '';
	beforeEach(async () => {
		folder = await mkdtemp(path.join(tmpdir(), 'asura-'));
	});
	afterEach(() => removeFolder(folder));
	return () => folder;
}
