// The description for people, made of the same table as /api/openapi.json; sent as a page, without scripts of anybody.
import { problems } from '#lib/shared/errors.ts';
import { accessWords, describe, errorsOf, plain } from '#lib/shared/openapi.ts';
import { type Answer, type Body, type Fields, type Operation, operations } from '#lib/shared/operations.ts';
import { shapeOf } from '#lib/shared/shape.ts';
import type { PageServerLoad } from './$types';

const groups = [...Map.groupBy(operations, ({ group }) => group)].map(([name, of]) => ({
	name,
	operations: of.map(told)
}));
const shapes = Object.entries(describe().components.schemas).map(([name, schema]) => ({
	name,
	shape: shapeOf(schema)
}));

export const load: PageServerLoad = () => ({ groups, shapes });

function told(operation: Operation) {
	const { method, path, summary, access, query, headers, body, answers } = operation;
	return {
		method,
		path,
		summary,
		access: accessWords[access],
		given: [
			{ title: 'Query', fields: fieldsOf(query) },
			{ title: 'Headers', fields: fieldsOf(headers) }
		].filter(({ fields }) => fields.length > 0),
		body: body && shapeOfBody(body),
		answers: Object.entries(answers).map(([status, answer]) => ({ status, shape: shapeOfAnswer(answer) })),
		errors: errorsOf(operation)
			.map((code) => ({ code, status: problems[code].status }))
			.toSorted((a, b) => a.status - b.status)
	};
}

function fieldsOf(fields: Fields | undefined) {
	return Object.entries(fields?.entries ?? {}).map(([name, entry]) => {
		const schema = plain(entry, 'input');
		const words = typeof schema.description === 'string' ? `; ${schema.description}` : '';
		return { name: entry.type === 'optional' ? `${name}?` : name, shape: shapeOf(schema) + words };
	});
}

function shapeOfBody(body: Body): string {
	switch (body.type) {
		case 'application/json':
			return shapeOf(plain(body.schema, 'input'));
		case 'multipart/form-data':
			return 'multipart/form-data; any number of parts named file';
		case 'application/offset+octet-stream':
			return `${body.type}; ${body.isOptional ? 'the first bytes, if any' : 'the bytes from there on'}`;
	}
}

function shapeOfAnswer(answer: Answer): string {
	switch (answer.kind) {
		case 'json':
			return shapeOf(plain(answer.schema, 'output'));
		case 'events':
			return `text/event-stream of ${shapeOf(plain(answer.schema, 'output'))}`;
		case 'bytes':
			return answer.type ? `the bytes, as ${answer.type}` : 'the bytes';
		case 'text':
			return 'text';
		case 'redirect':
			return 'a redirect';
		case 'nothing':
			return answer.headers ? `no body; headers ${shapeOf(plain(answer.headers, 'output'))}` : 'no body';
	}
}
