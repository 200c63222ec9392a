// A server that writes for ever: rows in two ways, and blobs. Each is named on a line once it is acknowledged.
import { Readable } from 'node:stream';
import { silentLog } from '#lib/server/log.ts';
import { openEmbedded } from '#lib/server/platform/embedded/embedded.ts';

const [dataDir = '', from = '0'] = process.argv.slice(2);
const { db, blobs } = await openEmbedded({ dataDir, log: silentLog });
await db.query('create table if not exists public.written (n integer primary key, s text not null)');
process.stdout.write('open\n');

for (let n = Number(from); ; n++) {
	await Promise.all([writeRow(n), writeBlob(n)]);
}

async function writeRow(n: number): Promise<void> {
	const insert = `insert into public.written values ($1, repeat('x', $2))`;
	const params = [n, (n * 37) % 3000];
	if (n % 2) await db.query(insert, params);
	else await db.tx((tx) => tx.query(insert, params));
	process.stdout.write(`row ${n}\n`);
}

async function writeBlob(n: number): Promise<void> {
	await blobs.put(`blob-${n}/original`, Readable.from([Buffer.alloc(20_000, n % 251)]));
	process.stdout.write(`blob ${n}\n`);
}
