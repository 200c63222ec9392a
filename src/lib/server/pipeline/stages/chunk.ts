// Cuts pages into passages for search and embedding. The same pages always give the same chunks with the same hashes:
// that is what makes a retry free. A chunk never reaches across a page.
//
// Inside a page: paragraphs are kept together while they fit the budget; a longer one is cut between sentences, and
// there the next chunk repeats the end of the one before, so that no thought is lost in a seam.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Chunk, Page } from '../stage.ts';
import { type Unit, units } from './units.ts';

export const budgetTokens = 350;
export const overlapTokens = 40;

/** Part of every hash: raise it when the way of cutting changes what a chunk means. */
const version = 'chunk-1';
/** Cutting happens on the thread that serves people, so it pauses this often. */
const sliceMs = 8;

export async function* chunkPages(pages: AsyncIterable<Page>): AsyncGenerator<Chunk> {
	let ordinal = 0;
	let sliceStart = performance.now();
	for await (const page of pages) {
		for (const span of cut(page.text)) {
			const text = page.text.slice(span.start, span.end);
			yield { ordinal: ordinal++, page: page.number, section: page.section, text, hash: hashOf(text) };
			if (performance.now() - sliceStart < sliceMs) continue;
			await setImmediate();
			sliceStart = performance.now();
		}
	}
}

export type Span = { start: number; end: number };

/** Spans without white space at their ends; together they hold every word of the text, in order. */
export function* cut(text: string): Generator<Span> {
	let held: Unit[] = [];
	let tokens = 0;
	for (const unit of units(text)) {
		const isFull = tokens + unit.tokens > budgetTokens;
		const isGoodSeam =
			unit.startsParagraph && tokens > budgetTokens / 2 && tokens + unit.paragraphTokens > budgetTokens;
		if (held.length > 0 && (isFull || isGoodSeam)) {
			yield* spanOf(text, held);
			held = unit.startsParagraph ? [] : overlap(held);
			tokens = held.reduce((sum, one) => sum + one.tokens, 0);
		}
		held.push(unit);
		tokens += unit.tokens;
	}
	yield* spanOf(text, held);
}

function* spanOf(text: string, held: readonly Unit[]): Generator<Span> {
	const raw = text.slice(held[0]?.start ?? 0, held.at(-1)?.end ?? 0);
	const start = (held[0]?.start ?? 0) + (raw.length - raw.trimStart().length);
	const end = start + raw.trim().length;
	if (end > start) yield { start, end };
}

function overlap(held: readonly Unit[]): Unit[] {
	let tokens = 0;
	let from = held.length;
	while (from > 1) {
		tokens += held[from - 1]?.tokens ?? 0;
		if (tokens > overlapTokens) break;
		from--;
	}
	return held.slice(from);
}

/** White space does not change a meaning, so it does not change the hash. */
function hashOf(text: string): string {
	const normalised = text.normalize('NFC').replace(/\s+/g, ' ').trim();
	return createHash('sha256').update(`${version}\n${normalised}`).digest('hex');
}
