// Compression: a smaller copy and a thumbnail, made in a worker. A thumbnail that cannot be drawn fails no file.
import type { Log } from '#lib/server/log.ts';
import type { Isolate } from '../isolate.ts';
import type { Compressed, StageInput } from '../stage.ts';
import type { CompressInput } from '../work/compress.ts';

const file = new URL('../work/compress.ts', import.meta.url);
const patienceMs = 120_000;
/** For a PDF the picture is an extra: nobody waits long for it. */
const pdfPatienceMs = 15_000;

export async function compress(isolate: Isolate, log: Log, input: StageInput): Promise<Compressed> {
	const { path, sizeBytes, fileType, scratchDir, password, signal, onTick } = input;
	const isPdf = fileType === 'application/pdf';
	const order: CompressInput = { path, sizeBytes, fileType, scratchDir, password };
	try {
		return await isolate.run({
			file,
			input: order,
			signal,
			onTick,
			patienceMs: isPdf ? pdfPatienceMs : patienceMs
		});
	} catch (error) {
		if (!isPdf || signal.aborted) throw error;
		log.warn({ err: error, fileType }, 'no thumbnail');
		return {};
	}
}
