// The description is held against the running server: every operation is called, with success and with refusals, and
// what comes back must be what the description says. A route that it does not know fails here as well.
import { globSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operations } from '#lib/shared/operations.ts';
import { makeKey, withKey } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSse } from '../support/sse.ts';
import { type Call, nobody, prepareCalls } from './openapi-calls.ts';
import { enter, type Person } from './person.ts';
import { projectCalls } from './project-calls.ts';
import { addTo, begin } from './project-people.ts';

type Described = {
	paths: Record<string, Record<string, { operationId: string; responses: Record<string, Response_> }>>;
	components: { schemas: object };
};
type Response_ = {
	content?: Record<string, { schema: object }>;
	headers?: Record<string, { required: boolean; schema: object }>;
	'x-event-data'?: object;
};

let server: TestServer;
let ada: Person;
let document: Described;
let ajv: Ajv2020;
let calls: Record<string, Call[]>;
const called = new Set<string>();

beforeAll(async () => {
	server = await startServer({ HARNESS: 'on' });
	ada = await enter(server);
	document = await (await fetch(new URL('/api/openapi.json', server.url))).json();
	ajv = new Ajv2020({ strict: false, allErrors: true });
	// ajv-formats is CommonJS: its function stands where the import's type does not see it.
	(addFormats as unknown as (to: Ajv2020) => void)(ajv);
	ajv.addSchema({ $id: 'asura', ...document });
	calls = { ...(await prepareCalls(ada)), ...(await projectCalls(server, ada)) };
});
afterAll(() => server.dispose());

async function expectDescribed(name: string, answer: Response): Promise<void> {
	const [method = '', path = ''] = name.split(' ');
	const { responses } = document.paths[path]?.[method.toLowerCase()] ?? {};
	const described = responses?.[answer.status];
	expect(described, `${name} answers ${answer.status}, which is not described`).toBeDefined();
	const at = `asura#/paths/${escape(path)}/${method.toLowerCase()}/responses/${answer.status}`;
	for (const [header, { required }] of Object.entries(described?.headers ?? {})) {
		const given = answer.headers.get(header);
		if (required || given !== null) expectValid(`${at}/headers/${header}/schema`, given, `${name} ${header}`);
	}
	const types = Object.keys(described?.content ?? {});
	const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
	const text = await answer.text();
	if (types.length === 0) return expect(text).toBe('');
	if (types.includes('*/*')) return;
	expect(types).toEqual([type]);
	if (type !== 'application/json') return;
	expectValid(`${at}/content/application~1json/schema`, JSON.parse(text), name);
}

function expectValid(at: string, value: unknown, name: string): void {
	const check = ajv.getSchema(at) ?? ajv.compile({ $ref: at });
	expect(check(value), `${name}: ${ajv.errorsText(check.errors)}`).toBe(true);
}

function escape(path: string): string {
	return encodeURIComponent(path.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** What a stream says when it has said something of a file. */
const firstOf = {
	'/api/files/events': 'snapshot',
	'/api/projects/{id}/events': 'snapshot',
	'/api/projects/{id}/status': 'message',
	'/api/files/{id}/events': 'completed'
};

describe('the description', () => {
	it('is valid JSON schema throughout, with its own names only', () => {
		for (const name of Object.keys(document.components.schemas))
			expect(() => ajv.compile({ $ref: `asura#/components/schemas/${name}` })).not.toThrow();
		const ids = Object.values(document.paths).flatMap((path) =>
			Object.values(path).map(({ operationId }) => operationId)
		);
		expect(new Set(ids).size).toBe(operations.length);
	});

	it('knows every route, and no other', () => {
		const routes = globSync('src/routes/{api,auth,healthz,readyz,metrics}/**/+server.ts').flatMap((file) => {
			const path = file.replace(/^src\/routes|\/\+server\.ts$/g, '').replace(/\[(\w+)\]/g, '{$1}');
			const exported = readFileSync(file, 'utf8').matchAll(/export const ([A-Z]+)\b|\bhandle as ([A-Z]+)\b/g);
			const methods = [...exported].map(([, one, other]) => one ?? other);
			// Whatever answers GET answers HEAD as well.
			return methods
				.filter((method) => method !== 'HEAD' || !methods.includes('GET'))
				.map((method) => `${method} ${path}`);
		});
		expect(operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(routes.toSorted());
	});

	it('tells what each operation answers, and how it refuses', { timeout: 60_000 }, async () => {
		for (const [name, list] of Object.entries(calls)) {
			called.add(name);
			const [, path = ''] = name.split(' ');
			for (const call of list) {
				const answer = await ada.ask(call.path ?? path, call.options);
				expect(answer.status, `${name}: ${JSON.stringify(call)}`).toBe(call.status);
				await expectDescribed(name, answer);
			}
		}
	});

	it('tells what the streams say', async () => {
		const file = await ada.add('streamed.txt', 'streamed');
		const project = await begin(ada, 'Streamed');
		await addTo(ada, project, 'shared.txt', 'shared');
		for (const [name, path] of [
			['/api/files/events', '/api/files/events'],
			['/api/projects/{id}/events', `/api/projects/${project.id}/events`],
			['/api/projects/{id}/status', `/api/projects/${project.id}/status`],
			['/api/files/{id}/events', `/api/files/${file.id}/events`]
		] as const) {
			called.add(`GET ${name}`);
			const live = await openSse(new URL(path, server.url), { cookie: ada.cookie });
			expect(live.headers['content-type']).toBe('text/event-stream');
			await live.next(firstOf[name], 20_000);
			live.close();
			const at = `asura#/paths/${escape(name)}/get/responses/200/x-event-data`;
			for (const frame of live.frames) expectValid(at, frame.data, name);
			await expectDescribed(`GET ${name}`, await fetch(new URL(path, server.url)));
		}
	});

	it('tells how strangers, wrong keys and keys with less are refused', async () => {
		const limited = withKey(server, (await makeKey(ada, ['admin'])).token);
		for (const { method, path, access } of operations) {
			if (access === 'anybody') continue;
			const name = `${method} ${path}`;
			const url = new URL(path.replace('{id}', nobody), server.url);
			const stranger = await fetch(url, { method });
			expect(stranger.status, name).toBe(401);
			await expectDescribed(name, stranger);
			const less = await limited.ask(url.pathname, { method });
			expect(less.status, name).toBe(403);
			await expectDescribed(name, less);
			const foreign = { method, headers: { origin: 'https://evil.example' } };
			if (!['GET', 'HEAD'].includes(method))
				await expectDescribed(name, await ada.ask(url.pathname, foreign));
		}
	});

	it('was held against every operation', () => {
		const all = operations.map(({ method, path }) => `${method} ${path}`);
		expect(all.filter((name) => !called.has(name))).toEqual([]);
	});
});
