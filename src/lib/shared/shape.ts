// A JSON schema as people write it: `{ files: StoredFile[]; next: string | null }`.
import * as v from 'valibot';

const Node = v.looseObject({
	$ref: v.optional(v.string()),
	const: v.optional(v.unknown()),
	enum: v.optional(v.array(v.unknown())),
	type: v.optional(v.string()),
	format: v.optional(v.string()),
	anyOf: v.optional(v.array(v.unknown())),
	oneOf: v.optional(v.array(v.unknown())),
	allOf: v.optional(v.array(v.unknown())),
	properties: v.optional(v.record(v.string(), v.unknown())),
	required: v.optional(v.array(v.string()), []),
	additionalProperties: v.optional(v.unknown()),
	items: v.optional(v.unknown()),
	prefixItems: v.optional(v.array(v.unknown()))
});
type Node = v.InferOutput<typeof Node>;

const lineLength = 72;

export function shapeOf(schema: unknown, depth = 0): string {
	const node = v.parse(Node, schema);
	if (node.$ref) return node.$ref.split('/').at(-1) ?? node.$ref;
	if ('const' in node) return JSON.stringify(node.const);
	if (node.enum) return node.enum.map((one) => JSON.stringify(one)).join(' | ');
	const alternatives = node.anyOf ?? node.oneOf;
	if (alternatives) return alternativesOf(alternatives, depth);
	if (node.allOf) return node.allOf.map((one) => shapeOf(one, depth)).join(' & ');
	if (node.type === 'array') return arrayOf(node, depth);
	if (node.type === 'object') return objectOf(node, depth);
	return node.format ?? node.type ?? 'unknown';
}

function alternativesOf(schemas: readonly unknown[], depth: number): string {
	const shapes = schemas.map((one) => shapeOf(one, depth));
	const line = shapes.join(' | ');
	return line.length <= lineLength && !line.includes('\n') ? line : shapes.join(`\n${indent(depth)}| `);
}

function arrayOf({ prefixItems, items }: Node, depth: number): string {
	if (prefixItems) return `[${prefixItems.map((one) => shapeOf(one, depth)).join(', ')}]`;
	const of = shapeOf(items ?? {}, depth);
	return of.includes(' | ') ? `(${of})[]` : `${of}[]`;
}

function objectOf({ properties, required, additionalProperties }: Node, depth: number): string {
	if (!properties)
		return `{ [name: string]: ${additionalProperties === undefined ? 'unknown' : shapeOf(additionalProperties, depth)} }`;
	const fields = Object.entries(properties).map(
		([name, one]) => `${name}${required.includes(name) ? '' : '?'}: ${shapeOf(one, depth + 1)}`
	);
	const line = `{ ${fields.join('; ')} }`;
	if (line.length <= lineLength && !line.includes('\n')) return line;
	return `{\n${fields.map((field) => `${indent(depth + 1)}${field};\n`).join('')}${indent(depth)}}`;
}

function indent(depth: number): string {
	return '  '.repeat(depth);
}
