// Collects words into passages: one per heading, named by the path of headings above it, cut when it grows long.
import type { Page } from '../../stage.ts';
import { cutBefore } from './lines.ts';
import { maxPageChars, passage } from './source.ts';

const maxNameChars = 300;

export function createOutline() {
	let pages: Page[] = [];
	let path: { depth: number; title: string }[] = [];
	let lines: string[] = [];
	let chars = 0;
	let line = '';

	const flush = (): void => {
		const text = lines.join('\n').trim();
		if (text !== '') pages.push(passage(text, nameOf(path)));
		lines = [];
		chars = 0;
	};
	const push = (text: string): void => {
		lines.push(text);
		chars += text.length + 1;
		if (chars > maxPageChars) flush();
	};
	const endLine = (): void => {
		if (line.trim() !== '') push(line.trim());
		line = '';
	};
	const endParagraph = (): void => {
		endLine();
		if (lines.length > 0 && lines.at(-1) !== '') push('');
	};
	return {
		endLine,
		endParagraph,
		add(words: string): void {
			line += words;
			while (line.length > maxPageChars) {
				const cut = cutBefore(line, maxPageChars);
				push(line.slice(0, cut));
				line = line.slice(cut);
			}
		},
		heading(depth: number, title: string): void {
			endParagraph();
			flush();
			const name = title.replace(/\s+/g, ' ').trim();
			if (name === '') return;
			path = [...path.filter((above) => above.depth < depth), { depth, title: name }];
			push(name);
			push('');
		},
		/** The passages that are complete. */
		take(): Page[] {
			const taken = pages;
			pages = [];
			return taken;
		},
		finish(): void {
			endLine();
			flush();
		}
	};
}

function nameOf(path: readonly { title: string }[]): string | null {
	const name = path.map((heading) => heading.title).join(' › ');
	return name === '' ? null : name.slice(0, maxNameChars).toWellFormed();
}
