// OpenAPI 3.1 from the table of operations and the schemas that parse requests and type answers: nothing is said twice.
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { ErrorBody, type ErrorCode, problems } from './errors.ts';
import { ChangesAnswer, FollowMessage, NamedEvent, StreamMessage } from './events.ts';
import { StoredFile } from './files.ts';
import { ApiKey } from './keys.ts';
import {
	type Access,
	type Answer,
	type Body,
	type Fields,
	type Operation,
	operations,
	type Schema
} from './operations.ts';
import { tusRefuses } from './resumable.ts';
import { Delivery, Webhook } from './webhooks.ts';

type Json = Record<string, unknown>;
export type Description = ReturnType<typeof describe>;

/** Shapes that have a name of their own. */
const definitions: Record<string, v.GenericSchema> = {
	StoredFile,
	ApiKey,
	StreamMessage,
	FollowMessage,
	NamedEvent,
	ChangesAnswer,
	Webhook,
	Delivery,
	ErrorBody
};

const readMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const bytes = { type: 'string', contentMediaType: 'application/octet-stream' };
const everyOperation: ErrorCode[] = ['request.invalid', 'request.wrong_host', 'server.unexpected'];
const needsSomebody: ErrorCode[] = ['auth.required', 'auth.key_in_url', 'auth.ticket_misplaced'];
const needsKey: ErrorCode[] = ['auth.key_invalid', 'auth.scope_missing', 'request.too_many'];
const common: Record<Access, readonly ErrorCode[]> = {
	anybody: ['request.too_many'],
	read: [...needsSomebody, ...needsKey],
	write: [...needsSomebody, ...needsKey],
	operator: [...needsSomebody, ...needsKey, 'auth.not_allowed'],
	person: [...needsSomebody, ...needsKey, 'auth.session_only']
};

export const accessWords: Record<Access, string> = {
	anybody: 'Anybody.',
	read: 'A signed-in person, or a key with the scope “read”.',
	write: 'A signed-in person, or a key with the scope “write”.',
	operator: 'An operator, or an operator’s key with the scope “admin”.',
	person: 'A signed-in person; never a key.'
};

export function describe() {
	const paths: Record<string, Json> = {};
	for (const operation of operations) {
		const { method, path } = operation;
		(paths[path] ??= {})[method.toLowerCase()] = describeOperation(operation);
	}
	return {
		openapi: '3.1.0',
		info: {
			title: 'Asura',
			version: '1',
			description: 'Upload documents, watch them being processed, search what is in them.'
		},
		servers: [{ url: '/' }],
		tags: [...new Set(operations.map(({ group }) => group))].map((name) => ({ name })),
		paths,
		components: {
			schemas: Object.fromEntries(
				Object.entries(definitions).map(([name, schema]) => [name, ownSchema(name, schema)])
			),
			securitySchemes: {
				key: { type: 'http', scheme: 'bearer', description: 'A personal key.' },
				session: { type: 'apiKey', in: 'cookie', name: 'asura_session' },
				ticket: { type: 'apiKey', in: 'query', name: 'ticket', description: 'Streams only; once.' }
			}
		}
	};
}

/** Every code with which an operation may be refused. */
export function errorsOf(operation: Operation): ErrorCode[] {
	const isWrite = !readMethods.has(operation.method);
	const codes: ErrorCode[] = [...everyOperation, ...common[operation.access], ...operation.errors];
	if (isWrite) codes.push('auth.foreign_origin', 'request.too_large');
	return [...new Set(codes)];
}

function describeOperation(operation: Operation): Json {
	const { method, group, summary, access, body, answers } = operation;
	return {
		operationId: idOf(operation),
		tags: [group],
		summary,
		description: accessWords[access],
		security: securityOf(operation),
		...parametersOf(operation),
		...(body && { requestBody: bodyOf(body) }),
		responses: {
			...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
			...refusalsOf(errorsOf(operation), { hasBody: method !== 'HEAD' })
		}
	};
}

/** `GET /api/files/{id}/events` → `get-files-id-events`: stays as long as the address does. */
function idOf({ method, path }: Operation): string {
	const words = path.replace(/^\/api/, '').match(/\w+/g) ?? [];
	return [method.toLowerCase(), ...words].join('-');
}

function securityOf({ access, path }: Operation): Json[] {
	if (access === 'anybody') return [];
	if (access === 'person') return [{ session: [] }];
	const isStream = /\/(events|status)$/.test(path) && access === 'read';
	return [{ key: [] }, { session: [] }, ...(isStream ? [{ ticket: [] }] : [])];
}

function parametersOf({ path, query, headers }: Operation): Json {
	const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
		name,
		in: 'path',
		required: true,
		schema: { type: 'string' }
	}));
	const given = (fields: Fields | undefined, place: string) =>
		Object.entries(fields?.entries ?? {}).map(([name, entry]) => ({
			name,
			in: place,
			required: entry.type !== 'optional',
			schema: plain(entry, 'input')
		}));
	const parameters = [...inPath, ...given(query, 'query'), ...given(headers, 'header')];
	return parameters.length > 0 ? { parameters } : {};
}

function bodyOf(body: Body): Json {
	if (body.type === 'multipart/form-data') {
		const file = { type: 'array', items: bytes };
		const schema = { type: 'object', properties: { file }, required: ['file'] };
		return { required: true, content: { [body.type]: { schema } } };
	}
	const required = !body.isOptional;
	if (body.type === 'application/offset+octet-stream')
		return { required, content: { [body.type]: { schema: bytes } } };
	const form = body.form && {
		'application/x-www-form-urlencoded': { schema: plain(body.form, 'input') }
	};
	return { required, content: { [body.type]: { schema: plain(body.schema, 'input') }, ...form } };
}

function answerOf(answer: Answer): Json {
	switch (answer.kind) {
		case 'json':
			return content('As asked for.', 'application/json', plain(answer.schema, 'output'));
		case 'events':
			return {
				...content('Server-Sent Events; the data of each is JSON.', 'text/event-stream', { type: 'string' }),
				'x-event-data': plain(answer.schema, 'output')
			};
		case 'text':
			return content('Text.', 'text/plain', { type: 'string' });
		case 'bytes':
			return content('The bytes.', answer.type ?? '*/*', {});
		case 'nothing':
			return { description: 'Done.', ...(answer.headers && { headers: headersOf(answer.headers) }) };
		case 'redirect':
			return { description: 'The way on.', headers: { location: { schema: { type: 'string' } } } };
	}
}

function headersOf(fields: Fields): Json {
	return Object.fromEntries(
		Object.entries(fields.entries).map(([name, entry]) => [
			name,
			{ required: entry.type !== 'optional', schema: plain(entry, 'output') }
		])
	);
}

function refusalsOf(codes: readonly ErrorCode[], { hasBody }: { hasBody: boolean }): Json {
	const byStatus = Map.groupBy(codes, (code) => problems[code].status);
	return Object.fromEntries(
		[...byStatus].map(([status, of]) => {
			const description = of.map((code) => `\`${code}\`: ${problems[code].message}`).join('\n\n');
			if (!hasBody) return [status, { description, headers: headersOf(tusRefuses) }];
			const schema = {
				allOf: [
					{ $ref: '#/components/schemas/ErrorBody' },
					{ type: 'object', properties: { code: { enum: of } } }
				]
			};
			return [status, content(description, 'application/json', schema)];
		})
	);
}

function content(description: string, type: string, schema: Json): Json {
	return { description, content: { [type]: { schema } } };
}

/** As JSON schema, with the named shapes by reference. */
export function plain(schema: Schema, typeMode: 'input' | 'output'): Json {
	return convert(schema, typeMode, definitions);
}

/** A named shape itself: it may refer to the others. */
function ownSchema(name: string, schema: v.GenericSchema): Json {
	return convert(schema, 'output', without(definitions, name));
}

function convert(schema: Schema, typeMode: 'input' | 'output', named: Record<string, v.GenericSchema>): Json {
	const converted = toJsonSchema(schema, {
		target: 'draft-2020-12',
		typeMode,
		definitions: named,
		// What only code can check; the sentence of the refusal says it.
		ignoreActions: ['check', 'trim', 'to_lower_case', 'iso_timestamp'],
		overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`
	});
	// The document says both once, for all of them.
	return without({ ...converted }, '$schema', '$defs');
}

function without<T>(record: Record<string, T>, ...names: string[]): Record<string, T> {
	return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}
