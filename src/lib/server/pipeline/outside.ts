// Files that an external processor reads: its pages take the place of the extraction, everything else stays as it is.
import type { Claim } from '../files/claim.ts';
import { shares } from '../processor/bar.ts';
import type { Sleep } from '../processor/processor.ts';
import { clean } from './clean.ts';
import { compress } from './compression.ts';
import { findPages } from './extraction.ts';
import type { Weights } from './progress.ts';
import type { Page, Stages } from './stage.ts';
import type { Work } from './work.ts';

export const outsideWeights: Weights = shares;

export function isReadOutside({ processor }: Pick<Work, 'processor'>, { file }: Claim): boolean {
	return processor?.takes(file.fileType) ?? false;
}

/** The stages with which the file can go on, or how long its job sleeps until there is something to go on with. */
export async function readOutside(
	work: Work,
	queuedAttempt: number
): Promise<{ stages: Stages; sleep?: never } | { sleep: Sleep }> {
	const { processor, claim, stages, scope, progress } = work;
	if (!processor || !isReadOutside(work, claim) || (await findPages(work))) return { stages };
	const { signal } = scope;
	const reading = await processor.read(claim, queuedAttempt, { signal, prepare: () => compress(work) });
	if ('pages' in reading) return { stages: { ...stages, extract: () => toPages(reading.pages) } };
	await progress.close();
	return { sleep: reading.sleep };
}

async function* toPages(pages: readonly { number: number | null; text: string }[]): AsyncGenerator<Page> {
	for (const { number, text } of pages) yield { number, section: null, text: clean(text) };
}
