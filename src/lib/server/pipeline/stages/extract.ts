// Extraction: pages out of a worker, while later ones are still being read.
import type { Isolate } from '../isolate.ts';
import type { Page, StageInput } from '../stage.ts';
import type { ExtractInput } from '../work/extract.ts';
import { budgetMs } from './budget.ts';

const file = new URL('../work/extract.ts', import.meta.url);
const patienceMs = 60_000;
/** What drawing one page may add to the budget. */
const pictureMs = 2000;

export async function* extract(isolate: Isolate, input: StageInput): AsyncGenerator<Page> {
	const { path, sizeBytes, fileType, filename, password, maxPictures = 0, signal, onTick, owner } = input;
	const order: ExtractInput = { path, sizeBytes, fileType, filename, password, maxPictures };
	const drawingMs = fileType === 'application/pdf' ? maxPictures * pictureMs : 0;
	const limits = { patienceMs, budgetMs: budgetMs(sizeBytes) + drawingMs, owner };
	yield* isolate.stream<ExtractInput, Page, void>({ file, input: order, signal, onTick, ...limits });
}
