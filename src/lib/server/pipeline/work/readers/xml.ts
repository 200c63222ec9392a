// XML: text and attributes, a line per element. Entities a file declares itself are never expanded.
import type { Page } from '../../stage.ts';
import { decode } from './encoding.ts';
import { openMarkup } from './markup.ts';
import { createOutline } from './outline.ts';
import type { Source } from './source.ts';

export async function* readXml(source: Source): AsyncGenerator<Page> {
	const outline = createOutline();
	const parser = openMarkup(
		{
			onopentag(name, attributes) {
				outline.endLine();
				for (const [key, value] of Object.entries(attributes)) {
					if (!key.startsWith('xmlns') && /\p{L}/u.test(value)) outline.add(`${key}: ${value}; `);
				}
				if (Object.keys(attributes).length > 0) outline.endLine();
			},
			ontext: (words) => outline.add(words.replace(/\s+/g, ' ')),
			onclosetag: () => outline.endLine()
		},
		{ xmlMode: true }
	);
	for await (const piece of decode(source.path, (done) =>
		source.tick({ done, total: source.sizeBytes, unit: 'bytes' })
	)) {
		parser.write(piece);
		yield* outline.take();
	}
	parser.end();
	outline.finish();
	yield* outline.take();
}
