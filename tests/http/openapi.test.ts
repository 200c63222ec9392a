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
import { enter, type Person } from './person.ts';
import { projectCalls } from './project-calls.ts';
import { addTo, begin } from './project-people.ts';

type Call = {
	path?: string;
	options?: RequestInit;
	/** What must come back. */
	status: number;
};
type Described = {
	paths: Record<string, Record<string, { operationId: string; responses: Record<string, Response_> }>>;
	components: { schemas: object };
};
type Response_ = { content?: Record<string, { schema: object }>; 'x-event-data'?: object };

const nobody = '00000000-0000-4000-8000-000000000000';
const post = { method: 'POST' };
const json = (body: unknown) => ({ ...post, body: JSON.stringify(body) });

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
	calls = await prepare();
});
afterAll(() => server.dispose());

async function prepare(): Promise<typeof calls> {
	const [done, gone, again] = await Promise.all([
		ada.add('lantern.txt', 'A lantern in the harbour.'),
		ada.add('gone.txt', 'soon gone'),
		ada.add('again.txt', 'once more')
	]);
	await ada.ended([done.id, gone.id, again.id]);
	const { key } = await makeKey(ada, ['read']);
	const hook = { url: 'https://hooks.example.org/', events: ['file.deleted'] };
	const added = await (await ada.ask('/api/webhooks', json(hook))).json();
	const webhook = `/api/webhooks/${added.webhook.id}`;
	const delivery = await (await ada.ask(`${webhook}/test`, post)).json();
	const ofProjects = await projectCalls(server, ada);
	const form = new FormData();
	form.append('file', new File(['words'], 'words.txt'));
	const file = `/api/files/${done.id}`;
	const missing = (path: string, method = 'GET') => ({ path, options: { method }, status: 404 });
	return {
		...ofProjects,
		'POST /api/files/upload': [
			{ options: { ...post, body: form }, status: 201 },
			{ options: { ...post, body: 'x' }, status: 400 }
		],
		'GET /api/files': [
			{ path: '/api/files?limit=2', status: 200 },
			{ path: '/api/files?limit=0', status: 400 }
		],
		'POST /api/files/retry': [
			{ options: json({ status: 'failed' }), status: 202 },
			{ options: json({}), status: 400 }
		],
		'GET /api/files/{id}': [{ path: file, status: 200 }, missing(`/api/files/${nobody}`)],
		'DELETE /api/files/{id}': [
			{ path: `/api/files/${gone.id}`, options: { method: 'DELETE' }, status: 204 },
			missing(`/api/files/${nobody}`, 'DELETE')
		],
		'GET /api/files/{id}/details': [
			{ path: `${file}/details`, status: 200 },
			missing(`/api/files/${nobody}/details`)
		],
		'GET /api/files/{id}/content': [
			{ path: `${file}/content`, status: 200 },
			{ path: `${file}/content`, options: { headers: { range: 'bytes=0-1' } }, status: 206 },
			{ path: `${file}/content`, options: { headers: { range: 'bytes=999-' } }, status: 416 },
			missing(`${file}/content?variant=thumbnail`)
		],
		'POST /api/files/{id}/retry': [
			{ path: `/api/files/${again.id}/retry`, options: json({ again: true }), status: 202 },
			{ path: `${file}/retry`, options: post, status: 409 },
			missing(`/api/files/${nobody}/retry`, 'POST')
		],
		'POST /api/files/{id}/cancel': [
			{ path: `${await working()}/cancel`, options: post, status: 202 },
			{ path: `${file}/cancel`, options: post, status: 409 }
		],
		'POST /api/files/{id}/next': [
			{ path: `${await working()}/next`, options: post, status: 202 },
			{ path: `${file}/next`, options: post, status: 409 }
		],
		'GET /api/search': [
			{ path: '/api/search?q=lantern', status: 200 },
			{ path: '/api/search?q=', status: 400 }
		],
		'GET /api/files/changes': [
			{ path: '/api/files/changes', status: 200 },
			{ path: '/api/files/changes?wait=never', status: 400 }
		],
		'POST /api/stream-tickets': [{ options: post, status: 201 }],
		'POST /api/events': [
			{ options: json({ to: 'everybody', event: 'test-event' }), status: 202 },
			{ options: json({ to: 'everybody', event: 'bye' }), status: 400 }
		],
		'POST /api/events/seen': [
			{ options: json({ ids: [nobody] }), status: 204 },
			{ options: json({ ids: [] }), status: 400 }
		],
		'GET /api/keys': [{ status: 200 }],
		'POST /api/keys': [
			{ options: json({ name: 'a', scopes: ['read'] }), status: 201 },
			{ options: json({ name: 'a', scopes: [] }), status: 400 }
		],
		'DELETE /api/keys/{id}': [
			{ path: `/api/keys/${key.id}`, options: { method: 'DELETE' }, status: 204 },
			missing(`/api/keys/${nobody}`, 'DELETE')
		],
		'GET /api/webhooks': [{ status: 200 }],
		'POST /api/webhooks': [
			{ options: json(hook), status: 201 },
			{ options: json({ ...hook, url: 'https://127.0.0.1/' }), status: 422 },
			{ options: json({}), status: 400 }
		],
		'GET /api/webhooks/{id}': [{ path: webhook, status: 200 }, missing(`/api/webhooks/${nobody}`)],
		'PATCH /api/webhooks/{id}': [
			{ path: webhook, options: { ...json({ events: ['file.failed'] }), method: 'PATCH' }, status: 200 },
			{ path: webhook, options: { ...json({ events: [] }), method: 'PATCH' }, status: 400 }
		],
		'POST /api/webhooks/{id}/test': [
			{ path: `${webhook}/test`, options: post, status: 202 },
			missing(`/api/webhooks/${nobody}/test`, 'POST')
		],
		'GET /api/webhooks/{id}/deliveries': [
			{ path: `${webhook}/deliveries?limit=2`, status: 200 },
			{ path: `${webhook}/deliveries?limit=0`, status: 400 }
		],
		'POST /api/webhooks/{id}/deliveries/{delivery}/replay': [
			{ path: `${webhook}/deliveries/${delivery.id}/replay`, options: post, status: 202 },
			missing(`${webhook}/deliveries/${nobody}/replay`, 'POST')
		],
		'DELETE /api/webhooks/{id}': [
			{ path: webhook, options: { method: 'DELETE' }, status: 204 },
			missing(`/api/webhooks/${nobody}`, 'DELETE')
		],
		// Without a processor there is nothing there; tests/http/processor.test.ts has one.
		'POST /api/v1/events/webhook/document-processing': [{ options: json({}), status: 404 }],
		'GET /api/v1/processor/{run}/{expires}/{signature}': [missing('/api/v1/processor/a/1/b')],
		'POST /api/harness': [
			{ options: json({ do: 'file', stageMs: 0 }), status: 202 },
			{ options: json({ do: 'crash' }), status: 202 },
			{ options: json({ do: 'nothing' }), status: 400 }
		],
		'GET /api/openapi.json': [{ status: 200 }],
		'GET /healthz': [{ status: 200 }],
		'GET /readyz': [{ status: 200 }],
		'GET /metrics': [{ status: 200 }],
		'POST /auth/local': [
			// Without the cookie: signing in ends the session that this browser had.
			{ options: { ...json({ email: 'bob@localhost' }), headers: { cookie: '' } }, status: 204 },
			{ options: json({ email: 'nobody' }), status: 400 }
		],
		'GET /auth/google': [{ status: 303 }],
		'GET /auth/callback': [{ status: 303 }],
		'POST /auth/sign-out': [{ options: { ...post, headers: { cookie: 'asura_session=none' } }, status: 204 }]
	};
}

/** A file that stays at work for a while. */
async function working(): Promise<string> {
	const answer = await ada.ask('/api/harness', json({ do: 'file', stageMs: 10_000 }));
	return `/api/files/${(await answer.json()).id}`;
}

async function expectDescribed(name: string, answer: Response): Promise<void> {
	const [method = '', path = ''] = name.split(' ');
	const { responses } = document.paths[path]?.[method.toLowerCase()] ?? {};
	const described = responses?.[answer.status];
	expect(described, `${name} answers ${answer.status}, which is not described`).toBeDefined();
	const types = Object.keys(described?.content ?? {});
	const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
	const text = await answer.text();
	if (types.length === 0) return expect(text).toBe('');
	if (types.includes('*/*')) return;
	expect(types).toEqual([type]);
	if (type !== 'application/json') return;
	const at = `asura#/paths/${escape(path)}/${method.toLowerCase()}/responses/${answer.status}/content/application~1json/schema`;
	expectValid(at, JSON.parse(text), name);
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
			const methods = readFileSync(file, 'utf8').matchAll(/export const (GET|POST|PUT|PATCH|DELETE)\b/g);
			return [...methods].map(([, method]) => `${method} ${path}`);
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
			if (method !== 'GET') await expectDescribed(name, await ada.ask(url.pathname, foreign));
		}
	});

	it('was held against every operation', () => {
		const all = operations.map(({ method, path }) => `${method} ${path}`);
		expect(all.filter((name) => !called.has(name))).toEqual([]);
	});
});
