// What processing a file took, in words. What is not known is left out.
import type { FileDetails } from '#lib/shared/api.ts';
import { duration, number } from './words.ts';

export type Fact = { term: string; words: string };

const dollars = new Intl.NumberFormat('en', { maximumSignificantDigits: 2, maximumFractionDigits: 12 });

export function effortOf({ model, tokens, estimated_usd, seconds }: FileDetails): Fact[] {
	return [
		...(seconds ? timesOf(seconds) : []),
		...(model === null ? [] : [{ term: 'Model', words: model }]),
		...(tokens > 0 ? [{ term: 'Tokens', words: number(tokens) }] : []),
		...(tokens > 0 && estimated_usd !== null
			? [{ term: 'Price', words: `about $${dollars.format(estimated_usd)}` }]
			: [])
	];
}

/** The stages overlap, so each is told by when it was over. */
function timesOf({ compression, extraction, embedding }: NonNullable<FileDetails['seconds']>): Fact[] {
	return [
		{ term: 'Compressed after', words: measured(compression) },
		{ term: 'Read after', words: measured(extraction) },
		{ term: 'Embedded after', words: measured(embedding) }
	];
}

/** A time that was measured, unlike one that is estimated, has a decimal while it is short. */
function measured(seconds: number): string {
	if (seconds < 0.1) return 'less than 0.1 s';
	if (seconds < 10) return `${seconds.toFixed(1)} s`;
	return seconds < 90 ? `${Math.round(seconds)} s` : duration(seconds);
}
