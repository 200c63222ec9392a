// HTML and XML by htmlparser2, whose time grows with the square of the depth: beyond a depth that no document needs
// (browsers stop at 512) all that is open is closed, and reading goes on from there. No word is lost by it.
import { type Handler, Parser, type ParserOptions } from 'htmlparser2';

const maxDepth = 1_000;

export function openMarkup(handler: Partial<Handler>, options: ParserOptions = {}) {
	let shallow = openShallow(handler, options);
	const write = (text: string): void => {
		let rest = shallow.write(text);
		while (rest !== undefined) {
			shallow = openShallow(handler, options);
			rest = shallow.write(rest);
		}
	};
	return {
		write,
		end(text = ''): void {
			write(text);
			shallow.end();
		}
	};
}

/** Reads until it is too deep. */
function openShallow(handler: Partial<Handler>, options: ParserOptions) {
	const open: string[] = [];
	let isTooDeep = false;
	let charsBefore = 0;
	const parser = new Parser(
		{
			...handler,
			onopentag(name, attributes, isImplied) {
				handler.onopentag?.(name, attributes, isImplied);
				isTooDeep = open.push(name) > maxDepth;
				if (isTooDeep) parser.pause();
			},
			onclosetag(name, isImplied) {
				open.pop();
				handler.onclosetag?.(name, isImplied);
			}
		},
		options
	);
	return {
		/** What is left of `text` when it is too deep, with everything closed; undefined: all was read. */
		write(text: string): string | undefined {
			parser.write(text);
			if (!isTooDeep) {
				charsBefore += text.length;
				return undefined;
			}
			for (const name of open.toReversed()) handler.onclosetag?.(name, true);
			return text.slice(parser.endIndex + 1 - charsBefore);
		},
		end: () => parser.end()
	};
}
