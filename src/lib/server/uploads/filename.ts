import { limits } from '#lib/shared/limits.ts';

// Control characters, ends of lines, and those that turn the direction of writing: "exe.fdp" must not be shown as "pdf.exe".
const invisible = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const longestEnding = 20;

/** A name as it is shown and downloaded. It is never part of a path on the server. */
export function toFilename(given: string | undefined): string {
	const base = (given ?? '').split(/[/\\]/).at(-1) ?? '';
	const clean = toShownName(base);
	return /^\.*$/.test(clean) ? 'untitled' : shorten(clean);
}

/** One name, without what cannot be seen or would mislead. */
export function toShownName(name: string): string {
	return name.toWellFormed().normalize('NFC').replace(invisible, '').trim();
}

/** In characters as Postgres counts them; the ending stays, since people tell types by it. */
function shorten(name: string): string {
	const characters = [...name];
	if (characters.length <= limits.maxFilenameLength) return name;
	const dot = characters.lastIndexOf('.');
	const ending = dot > 0 && characters.length - dot <= longestEnding ? characters.slice(dot) : [];
	return [...characters.slice(0, limits.maxFilenameLength - ending.length), ...ending].join('');
}
