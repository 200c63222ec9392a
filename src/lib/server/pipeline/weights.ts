// What part of the work each stage is, as a share of the whole, as long as nothing was learned here (rates.ts): from
// measurements of ordinary files of each kind.
import type { Weights } from './progress.ts';

const document: Weights = { compression: 0.1, extraction: 0.4, chunking: 0.05, embedding: 0.45 };
const picture: Weights = { compression: 0.7, extraction: 0.15, chunking: 0.05, embedding: 0.1 };
const text: Weights = { compression: 0.1, extraction: 0.15, chunking: 0.05, embedding: 0.7 };

export function usualWeights(fileType: string): Weights {
	if (fileType.startsWith('image/')) return picture;
	return fileType === 'application/pdf' ? document : text;
}
