// What did not go quite well, in few words: warnings of one kind become one, with all its pages.
import { type ErrorCode, problems } from '#lib/shared/errors.ts';
import type { Warning } from '#lib/shared/files.ts';

const mostKinds = 20;

/** Every one of them travels with each message about the file. */
const mostPages = 100;

export type Warnings = ReturnType<typeof collectWarnings>;

export function collectWarnings() {
	const kinds = new Map<string, { message: string; pages: Set<number> }>();
	return {
		add({ code, message, pages = [] }: Warning): void {
			const kind = kinds.get(code) ?? { message, pages: new Set() };
			if (kinds.size < mostKinds) kinds.set(code, kind);
			for (const page of pages) kind.pages.add(page);
		},
		/** Nothing was read at all: that is said once, with what helps. */
		nothingRead(code: ErrorCode): void {
			const { message, action } = problems[code];
			kinds.set(code, { message: `${message} ${action}`, pages: new Set() });
		},
		list: (pageCount: number | null): Warning[] =>
			[...kinds].map(([code, { message, pages }]) => {
				if (pages.size === 0) return { code, message };
				const numbers = [...pages].toSorted((a, b) => a - b);
				return { code, message: say(code, message, numbers, pageCount), pages: numbers.slice(0, mostPages) };
			})
	};
}

/** "198 of 200 pages were read; 17 and 90 failed." */
function say(code: string, message: string, pages: number[], pageCount: number | null): string {
	const list = enumerate(pages);
	if (code !== 'file.damaged' || pageCount === null) return `${message} Pages: ${list}.`;
	return `${pageCount - pages.length} of ${pageCount} pages were read; ${list} failed.`;
}

function enumerate(numbers: number[]): string {
	const shown = numbers.slice(0, 10).map(String);
	const more = numbers.length - shown.length;
	const last = more > 0 ? `${more} more` : shown.pop();
	return shown.length > 0 ? `${shown.join(', ')} and ${last}` : String(last);
}
