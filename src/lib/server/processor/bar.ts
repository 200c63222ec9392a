// The bar of a file that is read outside: the same shares, whether Asura embeds what comes back or the processor does.
import type { Stage } from '#lib/shared/files.ts';
import type { ReportStatus } from '#lib/shared/processing-report.ts';

export const shares = { compression: 0.05, extraction: 0.55, chunking: 0.05, embedding: 0.35 };

const beforeReading = 100 * shares.compression;
const beforeEmbedding = beforeReading + 100 * shares.extraction;

/** `within`: 0 to 100, of the stage. */
export function barOf(status: ReportStatus, within = 0): { progress: number; stage: Stage } {
	if (status === 'embedded') return { progress: 100, stage: 'embedding' };
	if (status === 'embedding') {
		const rest = shares.chunking + shares.embedding;
		return { progress: beforeEmbedding + within * rest, stage: 'embedding' };
	}
	const read = status === 'parsed' ? 100 : within;
	return { progress: beforeReading + read * shares.extraction, stage: 'extraction' };
}
