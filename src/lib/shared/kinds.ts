// Kinds of files as people tell them apart, and the media types behind each: for filters of the list and the search.
import * as v from 'valibot';
import { readableTypes } from './limits.ts';

const kindOf = (fits: RegExp) => Object.keys(readableTypes).filter((type) => fits.test(type));

export const kinds = {
	pdf: { name: 'PDF', types: kindOf(/\/pdf$/) },
	document: { name: 'Documents', types: kindOf(/wordprocessing|opendocument\.text|epub/) },
	table: { name: 'Tables', types: kindOf(/sheet|csv/) },
	slides: { name: 'Slides', types: kindOf(/presentation/) },
	text: { name: 'Text', types: kindOf(/text\/(plain|markdown|html)|json|\/xml/) },
	mail: { name: 'E-mail', types: kindOf(/rfc822/) },
	picture: { name: 'Pictures', types: kindOf(/^image\//) }
} as const;

export type Kind = keyof typeof kinds;

export const kindNames = Object.keys(kinds).filter((name): name is Kind => name in kinds);
export const Kind = v.picklist(kindNames);

/** A kind, or one media type. */
export const TypeFilter = v.picklist([...kindNames, ...Object.keys(readableTypes)]);

export function typesOf(filter: string): readonly string[] {
	const kind = v.safeParse(Kind, filter);
	return kind.success ? kinds[kind.output].types : [filter];
}
