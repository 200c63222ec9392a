// Compression: a smaller copy and small pictures, made in a worker.
import type { Log } from '#lib/server/log.ts';
import type { Isolate } from '../isolate.ts';
import type { Compressed, StageInput } from '../stage.ts';
import type { CompressInput } from '../work/compress.ts';
import { budgetMs } from './budget.ts';

const file = new URL('../work/compress.ts', import.meta.url);
const patienceMs = 120_000;
/** Of a PDF the text is what counts: its picture and its smaller copy are not waited for much. */
const thumbnailPatienceMs = 15_000;
const copyPatienceMs = 60_000;

export async function compress(isolate: Isolate, log: Log, input: StageInput): Promise<Compressed> {
	const { path, sizeBytes, fileType, scratchDir, password, signal, onTick, owner } = input;
	const order: CompressInput = { path, sizeBytes, fileType, scratchDir, password };
	const run = (part: CompressInput['part'], patience: number): Promise<Compressed> =>
		isolate.run({
			file,
			input: { ...order, part },
			signal,
			onTick,
			owner,
			patienceMs: patience,
			budgetMs: budgetMs(sizeBytes)
		});
	if (fileType !== 'application/pdf') return run(undefined, patienceMs);

	// Whether the PDF is damaged or encrypted is for the reading to say; here it only costs the extras.
	const spare = (error: unknown): Compressed => {
		signal.throwIfAborted();
		log.info({ err: error }, 'a PDF gets no thumbnail or no smaller copy');
		return {};
	};
	const drawn = await run('thumbnail', thumbnailPatienceMs).catch(spare);
	return { ...drawn, ...(await run('copy', copyPatienceMs).catch(spare)) };
}
