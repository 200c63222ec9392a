// Extraction: pages out of a worker, while later ones are still being read.
import type { Isolate } from '../isolate.ts';
import type { Page, StageInput } from '../stage.ts';
import type { ExtractInput } from '../work/extract.ts';
import { budgetMs } from './budget.ts';

const file = new URL('../work/extract.ts', import.meta.url);
const patienceMs = 60_000;

export async function* extract(isolate: Isolate, input: StageInput): AsyncGenerator<Page> {
	const { path, sizeBytes, fileType, filename, password, signal, onTick, owner } = input;
	const order: ExtractInput = { path, sizeBytes, fileType, filename, password };
	const limits = { patienceMs, budgetMs: budgetMs(sizeBytes), owner };
	yield* isolate.stream<ExtractInput, Page, void>({ file, input: order, signal, onTick, ...limits });
}
