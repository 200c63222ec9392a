// What goes to the terminal, a file or a pipe: plain lines for people, one JSON object a line for programs.
import { stripVTControlCharacters } from 'node:util';

export type Output = ReturnType<typeof createOutput>;

export function createOutput({ isJson, env }: { isJson: boolean; env: Record<string, string | undefined> }) {
	const { stdout, stderr } = process;
	const isTerminal = stdout.isTTY === true && env.TERM !== 'dumb' && speaksUnicode(env) && !isJson;
	const hasColour = isTerminal && !env.NO_COLOR;

	return {
		isTerminal,
		isJson,
		get columns(): number {
			return stdout.columns || 80;
		},
		get rows(): number {
			return stdout.rows || 24;
		},
		/** One outcome, in the words for either reader. */
		tell(line: string, object: unknown): void {
			stdout.write(isJson ? `${JSON.stringify(object)}\n` : `${line}\n`);
		},
		/** For people only. */
		note(line: string): void {
			stderr.write(`${line}\n`);
		},
		raw(text: string): void {
			stdout.write(text);
		},
		dim: (text: string) => (hasColour ? `\x1b[2m${text}\x1b[22m` : text),
		bold: (text: string) => (hasColour ? `\x1b[1m${text}\x1b[22m` : text),
		accent: (text: string) => (hasColour ? `\x1b[38;5;166m${text}\x1b[39m` : text)
	};
}

/** Bars are made of characters that other encodings do not have. */
function speaksUnicode({ LC_ALL, LC_CTYPE, LANG }: Record<string, string | undefined>): boolean {
	const locale = LC_ALL || LC_CTYPE || LANG;
	return !locale || /utf-?8/i.test(locale);
}

/** Names and texts come from others: nothing in them may steer the terminal. */
export function harmless(text: string): string {
	return stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ');
}
