// One side of the pipeline's benchmark, in a process of its own: `direct` calls the libraries in a loop, file after
// file; `asura` receives the same files and has them processed, embedded and kept. Reports one line of JSON.
import { openAsBlob } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { PDFParse } from 'pdf-parse';
import sharp from 'sharp';
import { createApp } from '#lib/server/app.ts';
import { readConfig } from '#lib/server/config.ts';
import { silentLog } from '#lib/server/log.ts';
import { drawPdf, squeezePdf } from '#lib/server/pipeline/work/squeeze/pdf.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import { isTerminal } from '#lib/shared/files.ts';
import { createEtaWatch } from './eta-watch.ts';

export type Outcome = {
	seconds: number;
	cpuSeconds: number;
	peakMb: number;
	pages: number;
	bytes: number;
	savedBytes: number;
	longestGapMs: number;
	/** Of the server before the first file. */
	restMb: number;
	/** Remaining seconds as they were told after a quarter, a half and three quarters of a file's time, by what it took. */
	etaRatios: (number | null)[];
};
type Done = Pick<Outcome, 'pages' | 'savedBytes'>;
type Timed = Done & Pick<Outcome, 'seconds' | 'cpuSeconds'>;

const [kind = '', folder = ''] = process.argv.slice(2);
const scratchDir = await mkdtemp(path.join(tmpdir(), 'asura-bench-'));
const names = (await readdir(folder)).toSorted();
const bytes = (await Promise.all(names.map((name) => stat(path.join(folder, name))))).reduce(
	(sum, { size }) => sum + size,
	0
);

const gaps = monitorEventLoopDelay({ resolution: 5 });
const measured = kind === 'direct' ? { ...(await direct()), restMb: 0, etaRatios: [] } : await asura();
const peakMb = process.resourceUsage().maxRSS / 1024;
await rm(scratchDir, { recursive: true });
process.stdout.write(`${JSON.stringify({ ...measured, peakMb, bytes, longestGapMs: gaps.max / 1e6 })}\n`);

/** What starting takes (a new database: some seconds) is no part of it, neither in time nor in CPU. */
async function timed(work: () => Promise<Done>): Promise<Timed> {
	gaps.enable();
	const start = performance.now();
	const cpuBefore = process.cpuUsage();
	const done = await work();
	const { user, system } = process.cpuUsage(cpuBefore);
	const seconds = (performance.now() - start) / 1000;
	gaps.disable();
	return { ...done, seconds, cpuSeconds: (user + system) / 1e6 };
}

function direct(): Promise<Timed> {
	return timed(async () => {
		let pages = 0;
		let savedBytes = 0;
		for (const name of names) {
			const done = await directly(path.join(folder, name));
			pages += done.pages;
			savedBytes += done.savedBytes;
		}
		return { pages, savedBytes };
	});
}

async function directly(file: string): Promise<Done> {
	const input = await readFile(file);
	if (file.endsWith('.pdf')) return directPdf(file, input);
	if (file.endsWith('.txt')) {
		const packed = await promisify(zstdCompress)(input, {
			params: { [constants.ZSTD_c_compressionLevel]: 9 }
		});
		return { pages: 0, savedBytes: input.length - packed.length };
	}
	for (const side of [320, 800])
		await sharp(file).autoOrient().resize(side, side, { fit: 'inside' }).webp({ quality: 78 }).toBuffer();
	const asWebp = await sharp(file).autoOrient().webp({ quality: 86 }).toBuffer();
	const asJpeg = await sharp(file).autoOrient().jpeg({ quality: 86, mozjpeg: true }).toBuffer();
	return { pages: 0, savedBytes: Math.max(0, input.length - Math.min(asWebp.length, asJpeg.length)) };
}

async function directPdf(file: string, input: Buffer): Promise<Done> {
	const squeeze = {
		path: file,
		sizeBytes: input.length,
		fileType: 'application/pdf',
		scratchDir,
		password: undefined,
		tick: ignore,
		alive: ignore
	};
	await drawPdf(squeeze);
	const { compressed } = await squeezePdf(squeeze);
	const parser = new PDFParse({ data: new Uint8Array(input) });
	let total = 1;
	for (let number = 1; number <= total; number++)
		({ total } = await parser.getText({ partial: [number], pageJoiner: '' }));
	await parser.destroy();
	return { pages: total, savedBytes: compressed ? input.length - compressed.bytes : 0 };
}

async function asura(): Promise<Timed & Pick<Outcome, 'restMb' | 'etaRatios'>> {
	const config = readConfig({ DATA_DIR: path.join(scratchDir, 'data'), LOG_LEVEL: 'silent' });
	const app = await createApp(config, { log: silentLog });
	await app.start();
	await sleep(1000);
	const restMb = process.memoryUsage.rss() / 1024 ** 2;
	const watch = createEtaWatch();
	const { session } = await app.auth.signInLocally('bench@localhost', 'bench');
	const measured = await timed(async () => {
		await upload(app, session.userId);
		const files = await ended(app, session.userId, watch.look);
		const failed = files.filter((file) => file.status !== 'completed');
		if (failed.length > 0) throw new Error(`${failed.length} files failed: ${failed[0]?.error_code}`);
		const saved = files.map((file) =>
			file.compressed_bytes === null ? 0 : file.size_bytes - file.compressed_bytes
		);
		return { pages: sum(files.map((file) => file.page_count ?? 0)), savedBytes: sum(saved) };
	});
	await app.stop();
	return { ...measured, restMb, etaRatios: watch.ratios() };
}

type App = Awaited<ReturnType<typeof createApp>>;

async function upload(app: App, userId: string): Promise<void> {
	const form = new FormData();
	for (const name of names) form.append('file', await openAsBlob(path.join(folder, name)), name);
	const request = new Request('http://localhost/', { method: 'POST', body: form });
	if (!request.body) throw new Error('nothing to send');
	const { errors } = await app.uploads.receive({
		userId,
		body: Readable.from(request.body),
		contentType: request.headers.get('content-type') ?? '',
		signal: new AbortController().signal
	});
	if (errors.length > 0) throw new Error(`not accepted: ${errors[0]?.code}`);
}

async function ended(
	app: App,
	userId: string,
	look: (files: readonly StoredFile[]) => void
): Promise<StoredFile[]> {
	for (;;) {
		const { files } = await app.files.list(userId, { limit: 500 });
		look(files);
		if (files.every((file) => isTerminal(file.status))) return files;
		await sleep(50);
	}
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}

function ignore(): void {
	// nobody watches the direct side
}
