// npm run bench pipeline -- [--pdfs 4] [--pages 600] [--pictures 30] [--texts 60]
// The whole pipeline beside the same libraries called in a loop, in the same run on the same files made from code.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { makeImage, makeLongPdf, pageText } from '../../tests/support/make-files.ts';
import type { Outcome } from './bench/pipeline-work.ts';

const { values } = parseArgs({
	options: {
		pdfs: { type: 'string', default: '4' },
		pages: { type: 'string', default: '600' },
		pictures: { type: 'string', default: '30' },
		texts: { type: 'string', default: '60' }
	}
});
const [pdfs, pages, pictures, texts] = [values.pdfs, values.pages, values.pictures, values.texts].map(Number);

const kinds = [
	{ name: 'a long PDF', make: makeLong },
	{ name: 'PDFs', make: makePdfs },
	{ name: 'pictures', make: makePictures },
	{ name: 'texts', make: makeTexts }
];
for (const { name, make } of [...kinds, { name: 'all together', make: makeAll }]) {
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-bench-files-'));
	const count = await make(folder);
	const direct = await run('direct', folder);
	const asura = await run('asura', folder);
	await rm(folder, { recursive: true });
	report(name, count, direct, asura);
}

async function run(kind: 'direct' | 'asura', folder: string): Promise<Outcome> {
	const worker = path.join(import.meta.dirname, 'bench/pipeline-work.ts');
	const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, worker, kind, folder]);
	return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Outcome;
}

async function makeLong(folder: string): Promise<number> {
	await writeFile(path.join(folder, 'long.pdf'), makeLongPdf(4 * (pages ?? 0)));
	return 1;
}

async function makePdfs(folder: string): Promise<number> {
	for (let i = 0; i < (pdfs ?? 0); i++) {
		// Different lengths make different files: the same bytes would be processed once.
		await writeFile(path.join(folder, `book-${i}.pdf`), makeLongPdf((pages ?? 0) + i));
	}
	return pdfs ?? 0;
}

async function makePictures(folder: string): Promise<number> {
	for (let i = 0; i < (pictures ?? 0); i++) {
		await writeFile(
			path.join(folder, `picture-${i}.jpg`),
			await makeImage({ format: 'jpeg', width: 2000 + i, height: 1500 })
		);
	}
	return pictures ?? 0;
}

async function makeTexts(folder: string): Promise<number> {
	for (let i = 0; i < (texts ?? 0); i++) {
		await writeFile(
			path.join(folder, `notes-${i}.txt`),
			Array.from({ length: 20 }, (_, k) => pageText(i * 20 + k)).join('\n\n')
		);
	}
	return texts ?? 0;
}

async function makeAll(folder: string): Promise<number> {
	let count = 0;
	for (const make of [makePdfs, makePictures, makeTexts]) count += await make(folder);
	return count;
}

function report(name: string, count: number, direct: Outcome, asura: Outcome): void {
	const mb = asura.bytes / 1e6;
	say(`${name}: ${count} files, ${mb.toFixed(1)} MB${asura.pages ? `, ${asura.pages} pages` : ''}`);
	row('', 'libraries', 'Asura', 'ratio');
	row(
		'seconds',
		direct.seconds.toFixed(1),
		asura.seconds.toFixed(1),
		`${(asura.seconds / direct.seconds).toFixed(2)} (≤ 1.15)`
	);
	row('CPU seconds', direct.cpuSeconds.toFixed(1), asura.cpuSeconds.toFixed(1));
	row('files/s', (count / direct.seconds).toFixed(1), (count / asura.seconds).toFixed(1));
	if (asura.pages)
		row('pages/s', (direct.pages / direct.seconds).toFixed(0), (asura.pages / asura.seconds).toFixed(0));
	row('MB/s', (mb / direct.seconds).toFixed(1), (mb / asura.seconds).toFixed(1));
	row('peak memory, MB', direct.peakMb.toFixed(0), asura.peakMb.toFixed(0));
	row('bytes saved, %', percent(direct), percent(asura));
	row('longest stall of the main thread, ms', direct.longestGapMs.toFixed(0), asura.longestGapMs.toFixed(0));
	row('memory at rest before, MB', '', asura.restMb.toFixed(0));
	row('remaining time, told : taken', '', tellEta(asura.etaRatios));
	say('');
}

/** How far off, in either direction: 1.00 is right. */
function tellEta(ratios: readonly (number | null)[]): string {
	const told = ratios.filter((ratio) => ratio !== null);
	const errors = told.map((ratio) => Math.max(ratio, 1 / ratio)).toSorted((a, b) => a - b);
	const at = (share: number) => errors[Math.min(errors.length - 1, Math.floor(share * errors.length))];
	if (ratios.length === 0) return 'too short';
	if (errors.length === 0) return 'none told';
	return `${at(0.5)?.toFixed(2)}, p90 ${at(0.9)?.toFixed(2)} (told ${errors.length} of ${ratios.length})`;
}

function percent({ savedBytes, bytes }: Outcome): string {
	return ((savedBytes / bytes) * 100).toFixed(1);
}

function row(name: string, ...columns: string[]): void {
	say(`  ${name.padEnd(40)}${columns.map((column) => column.padStart(14)).join('')}`);
}

function say(line: string): void {
	process.stdout.write(`${line}\n`);
}
