// What a reader is: it turns one file into pages, in order, holding only a part of it in memory where the format allows.
import type { Page, Tick } from '../../stage.ts';

export type Source = {
	path: string;
	sizeBytes: number;
	fileType: string;
	filename: string;
	password: string | undefined;
	maxPictures: number;
	tick(tick: Tick): void;
};

export type Reader = (source: Source) => AsyncIterable<Page>;

/** A page of a format without pages is a handful of paragraphs: small enough to hand over at once. */
export const maxPageChars = 16_000;

export function passage(text: string, section: string | null = null): Page {
	return { number: null, section, text };
}
