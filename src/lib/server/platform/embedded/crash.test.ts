// What the README promises for a process that is killed.
import { randomInt } from 'node:crypto';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { startChild } from '../../../../../tests/support/child.ts';
import { makeDataDir } from '../../../../../tests/support/database.ts';
import { eventually } from '../../../../../tests/support/eventually.ts';
import { useTempFolder } from '../../../../../tests/support/temp-folder.ts';
import { silentLog } from '../../log.ts';
import { openEmbedded } from './embedded.ts';

// Processes, databases, whole folders: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 });

const folder = useTempFolder();
const script = path.resolve(import.meta.dirname, '../../../../../tests/support/write-rows.ts');

test('kill -9 at any moment, three times over: every acknowledged row and blob is there', async () => {
	const dataDir = path.join(folder(), 'data');
	await makeDataDir(dataDir);
	const acknowledged = new Set<string>();
	for (let round = 0; round < 3; round++) {
		const server = startChild(script, [dataDir, String(round * 100_000)]);
		expect(await server.nextLine()).toBe('open');
		const lines = randomInt(10, 300);
		for (let i = 0; i < lines; i++) await server.nextLine();
		await server.kill('SIGKILL');
		for (const line of server.lines.slice(1)) acknowledged.add(line);
	}

	const { db, blobs, close } = await openEmbedded({ dataDir, log: silentLog });
	const { rows } = await db.query<{ n: number }>(
		'select n from public.written where length(s) = (n * 37) % 3000'
	);
	const found = new Set(rows.map(({ n }) => `row ${n}`));
	for await (const { key } of blobs.list('blob-')) {
		const n = Number(/\d+/.exec(key)?.[0]);
		expect((await buffer(await blobs.get(key))).equals(Buffer.alloc(20_000, n % 251))).toBe(true);
		found.add(`blob ${n}`);
	}
	expect([...acknowledged].filter((one) => !found.has(one))).toEqual([]);
	expect(acknowledged.size).toBeGreaterThan(30);
	await close();
});

test.each(['db.new/PG_VERSION', 'db'])(
	'kill -9 in the very first start, as soon as %s is there: the next start works',
	async (sign) => {
		const dataDir = path.join(folder(), 'data');
		const server = startChild(script, [dataDir]);
		await eventually(() => access(path.join(dataDir, sign)), { timeoutMs: 20_000, everyMs: 1 });
		await server.kill('SIGKILL');
		const { db, close } = await openEmbedded({ dataDir, log: silentLog });
		expect((await db.query('select count(*)::integer as n from public.files')).rows).toEqual([{ n: 0 }]);
		await close();
	}
);
