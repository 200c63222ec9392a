// Pages on their way past: written into two files of the scratch folder, one to be read by people (the plain text),
// one by the next attempt (every page as it was).
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { Derived, Page } from './stage.ts';

export function openPageStore(scratchDir: string) {
	const text = openFile(path.join(scratchDir, 'text'), 'text/plain');
	const pages = openFile(path.join(scratchDir, 'pages.jsonl'), 'application/jsonl');
	let gap = '';
	return {
		async add(page: Page): Promise<void> {
			await pages.append(`${JSON.stringify(page)}\n`);
			if (page.text !== '') {
				await text.append(gap + page.text);
				gap = '';
			}
			// A form feed between pages, as every tool that turns PDFs into text has it; a page without text has one
			// too, so that the pages after it keep their numbers.
			if (page.number !== null) gap += '\f';
			else gap = text.isEmpty() ? '' : '\n\n';
		},
		/** `undefined` when nothing came. */
		async close(): Promise<{ text: Derived | undefined; pages: Derived | undefined }> {
			return { text: await text.close(), pages: await pages.close() };
		}
	};
}

function openFile(file: string, type: string) {
	const stream = createWriteStream(file);
	// Every append, and at the latest the end, throws what went wrong; this is for the time in between.
	stream.on('error', () => undefined);
	let bytes = 0;
	return {
		isEmpty: () => bytes === 0,
		async append(content: string): Promise<void> {
			if (stream.errored) throw stream.errored;
			bytes += Buffer.byteLength(content);
			if (!stream.write(content)) await once(stream, 'drain');
		},
		async close(): Promise<Derived | undefined> {
			stream.end();
			await finished(stream);
			return bytes === 0 ? undefined : { path: file, type, bytes };
		}
	};
}
