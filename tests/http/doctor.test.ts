// npm run doctor as a person calls it: while the server runs, and when none does.
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { enter } from './person.ts';

let server: TestServer;

beforeAll(async () => {
	server = await startServer();
});
afterAll(() => server.dispose());

const doctor = (...args: string[]) => runCli('doctor', { DATA_DIR: server.dataDir }, ...args);

it('tells what is wrong, mends it and says so', { timeout: 120_000 }, async () => {
	const ada = await enter(server);
	const { id } = await ada.add('notes.txt', 'some notes');
	await ada.ended([id]);
	const well = await doctor();
	expect(well.output).toMatch(
		/Queue: 0 waiting, 0 at work\.[^]*Last backup: none known\.\nNothing needs mending/
	);
	expect(well.code).toBe(0);

	const blobs = path.join(server.dataDir, 'files');
	const [blob = ''] = (await readdir(blobs)).filter((name) => name !== '.incoming');
	await rm(path.join(blobs, blob, 'original'));
	const ill = await doctor();
	expect(ill.output).toContain(`Files without their bytes: 1.\n  ${id}    notes.txt`);
	expect(ill.code).toBe(1);

	await server.stop();
	const mended = await doctor('--mend');
	expect(mended.output).toContain('Mended: 1 marked as lost: their bytes are gone.');
	expect(mended.output).toContain('Nothing needs mending.');
	expect(mended.code).toBe(0);
});
