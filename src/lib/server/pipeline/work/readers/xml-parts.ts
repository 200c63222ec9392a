// What the small XML parts of an archive say: the attributes of certain elements.
import { openMarkup } from './markup.ts';

export type Attributes = Record<string, string>;

export function attributesOf(xml: string, element: string): Attributes[] {
	const found: Attributes[] = [];
	const parser = openMarkup(
		{ onopentag: (name, attributes) => void (localName(name) === element && found.push(attributes)) },
		{ xmlMode: true }
	);
	parser.end(xml);
	return found;
}

export function localName(name: string): string {
	return name.slice(name.indexOf(':') + 1);
}

/** Resolves a reference inside an archive; what points out of it, or nowhere, names no part. */
export function partOf(base: string, reference: string): string {
	const url = URL.parse(reference, `zip:///${base}`);
	return url ? decode(url.pathname.slice(1)) : '';
}

function decode(path: string): string {
	try {
		return decodeURIComponent(path);
	} catch {
		return path; // a name with a percent sign of its own
	}
}
