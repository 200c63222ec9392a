// The bar of a file that is read outside: the same shares, whether Asura embeds what comes back or the processor does.
import type { ReportStatus } from '#lib/shared/processing-report.ts';
import type { OutsideProgress } from '../files/outside.ts';

export const shares = { compression: 0.05, extraction: 0.55, chunking: 0.05, embedding: 0.35 };

const beforeReading = 100 * shares.compression;
const beforeEmbedding = beforeReading + 100 * shares.extraction;

export type Bar = Omit<OutsideProgress, 'fileId'>;

/** `within`: 0 to 100, of the stage; absent where the processor does not say it. */
export function barOf(status: ReportStatus, within?: number): Bar {
	if (status === 'embedded') return embedding(100);
	if (status === 'embedding') return embedding(within);
	const read = status === 'parsed' ? 100 : within;
	return {
		progress: beforeReading + (read ?? 0) * shares.extraction,
		stage: 'extraction',
		stages: { compression: 1, extraction: part(read) }
	};
}

function embedding(within: number | undefined): Bar {
	return {
		progress: beforeEmbedding + (within ?? 0) * (shares.chunking + shares.embedding),
		stage: 'embedding',
		stages: { compression: 1, extraction: 1, chunking: 1, embedding: part(within) }
	};
}

function part(within: number | undefined): number | null {
	return within === undefined ? null : Math.floor(within) / 100;
}
