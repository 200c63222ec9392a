// What strangers send, and still get an answer in the API's own words: text that nobody can keep, days that there are
// not, half a protocol, no HTTP at all, and bodies that are refused while they are on their way.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { openSse } from '../support/sse.ts';
import { enter, type Person } from './person.ts';
import { aTusPerson, said, tusHeaders } from './tus-person.ts';

let server: TestServer;
let ada: Person;
let project: string;

beforeAll(async () => {
	server = await startServer();
	ada = await enter(server);
	project = (await send('POST', '/api/projects', { name: 'Harbour' }).then((answer) => answer.json())).id;
});
afterAll(() => server?.dispose());

function send(method: string, path: string, body?: unknown): Promise<Response> {
	const headers = { 'content-type': 'application/json' };
	return ada.ask(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
}

describe('text that cannot be kept', () => {
	it.each([
		['POST', '/api/keys', { name: 'a\0b', scopes: ['read'] }],
		['POST', '/api/webhooks', { url: 'https://example.org/\0', events: ['file.failed'] }],
		['POST', '/api/projects', { name: 'a\0b' }],
		['POST', '/api/projects/{project}/invitations', { email: 'a\0@example.org' }],
		['GET', '/api/files?tag=%00', undefined],
		['GET', '/api/projects/{project}/files?tag=a%00', undefined],
		['GET', '/api/search?q=harbour&tag=%00', undefined]
	])('is refused: %s %s', async (method, path, body) => {
		expect(await said(await send(method, path.replace('{project}', project), body))).toBe(
			'400 request.invalid'
		);
	});

	it.each([
		['DELETE', '/api/keys/%00', 'key.not_found'],
		['DELETE', '/api/webhooks/%00', 'webhook.not_found'],
		['DELETE', '/api/projects/{project}/members/%00', 'project.not_found'],
		['POST', '/api/invitations/%00/accept', 'invitation.not_found'],
		['GET', '/api/files/%00/passages', 'file.not_found']
	])('is the id of nothing: %s %s', async (method, path, code) => {
		expect(await said(await send(method, path.replace('{project}', project)))).toBe(`404 ${code}`);
	});

	it('is the address of nobody', async () => {
		for (const email of ['a\0b@localhost', 'a\ud800b@localhost']) {
			const signingIn = { method: 'POST', body: JSON.stringify({ email }) };
			expect(await said(await fetch(`${server.url}/auth/local`, signingIn))).toBe('400 request.invalid');
		}
	});

	it('is refused in events, which may be kept, wherever it stands in them', async () => {
		const to = { user: crypto.randomUUID() };
		const wrong = [{ title: 'a\0' }, { title: '\ud800' }, { 'a\0': 1 }, { list: [{ deep: '\udc00' }] }];
		for (const data of wrong)
			expect(await said(await send('POST', '/api/events', { to, event: 'notification', data }))).toBe(
				'400 request.invalid'
			);
		const endless = `{"to":"everybody","event":"x","data":{"a":${'['.repeat(9000)}${']'.repeat(9000)}}}`;
		expect(await said(await ada.ask('/api/events', { method: 'POST', body: endless }))).toBe(
			'400 request.invalid'
		);
	});
});

it('names that mean something to every EventSource are no names of events', async () => {
	for (const event of ['error', 'open', 'message'])
		expect(await said(await send('POST', '/api/events', { to: 'everybody', event }))).toBe(
			'400 request.invalid'
		);
});

it('a day that there is not is refused, whatever stands behind it', async () => {
	const year = new Date().getUTCFullYear() + 1;
	const make = (expires_at: string) => send('POST', '/api/keys', { name: 'k', scopes: ['read'], expires_at });
	expect(await said(await make(`${year}-02-31T10:00:00Z`))).toBe('400 request.invalid');
	expect(await said(await send('GET', '/api/search?q=x&after=2026-02-31'))).toBe('400 request.invalid');
	const made = await make(`${year}-03-01T10:00:00+23:30`);
	expect([made.status, (await made.json()).key.expires_at]).toEqual([201, `${year}-02-28T10:30:00.000Z`]);
});

it('a browser’s escapes in a name are undone, and nothing else is', async () => {
	for (const name of ['say "hi" 100%.txt', 'a%20b.txt', 'näme.txt']) {
		const body = new FormData();
		body.append('file', new File([`words of ${name}`], name));
		const answer = await (await ada.ask('/api/files/upload', { method: 'POST', body })).json();
		expect(answer.files).toMatchObject([{ filename: name }]);
	}
});

describe('resumable uploads', () => {
	it('refuse what they do not speak as the sender’s mistake', async () => {
		for (const asked of ['upload-defer-length: 1', 'upload-concat: partial']) {
			const [name = '', value = ''] = asked.split(': ');
			const headers = { ...tusHeaders, [name]: value };
			const answer = await ada.ask('/api/uploads', { method: 'POST', headers });
			expect(await said(answer)).toBe('400 request.invalid');
		}
		expect((await aTusPerson(ada).create({ size: 5 })).status).toBe(201);
	});
});

describe('streams', () => {
	it('have a request id, like every answer', async () => {
		const stream = await openSse(`${server.url}/api/files/events`, ada);
		const refused = await openSse(`${server.url}/api/files/events`);
		for (const { headers } of [stream, refused]) expect(headers['x-request-id']).toMatch(/^[\w-]{36}$/);
		stream.close();
	});

	it('of one file tell at HEAD what they would tell at GET', async () => {
		const file = await ada.add('head.txt', 'a file that is there');
		const head = (id: string) => ada.ask(`/api/files/${id}/events`, { method: 'HEAD' });
		expect((await head(file.id)).status).toBe(200);
		expect((await head(crypto.randomUUID())).status).toBe(404);
	});
});

describe('before a request is one', () => {
	it.each([
		['no HTTP', 'hello\r\n\r\n', 400, 'request.invalid'],
		['no host', 'GET /api/files HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'request.invalid'],
		['no method of HTTP', 'FOO /api/files HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'request.invalid'],
		['no path', 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400, 'request.invalid'],
		[
			'TRACE',
			'TRACE /api/files HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
			405,
			'request.method_not_allowed'
		],
		[
			'a long header',
			`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
			431,
			'request.header_too_large'
		],
		['a long address', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, 'request.header_too_large'],
		[
			'a static file by a foreign name',
			'GET /favicon.svg HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
			421,
			'request.wrong_host'
		]
	])('%s is refused in the API’s own words', async (_, text, status, code) => {
		const [head = '', body = ''] = (await talk(text)).split('\r\n\r\n');
		expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
		// Of a body in chunks the size stands before it.
		const json: unknown = JSON.parse(/\{.*\}/.exec(body)?.[0] ?? '');
		expect(json).toEqual({ code, message: expect.any(String), requestId: expect.any(String) });
	});

	it('a sender whose connection ends with its request still hears why a long body was refused', async () => {
		expect(await sendLong('/api/files/upload')).toBe('401 auth.required');
		expect(await sendLong('/api/keys')).toBe('413 request.too_large');
	});
});

/** More than all buffers on the way hold. */
async function sendLong(path: string): Promise<string> {
	const bytes = 40_000_000;
	const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`;
	const answer = await talk(head + 'x'.repeat(bytes));
	return `${answer.slice(9, 12)} ${/"code":"([^"]+)"/.exec(answer)?.[1]}`;
}

function talk(text: string): Promise<string> {
	return new Promise((resolve, reject) => {
		let heard = '';
		const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text));
		socket.setEncoding('utf8').on('data', (part: string) => (heard += part));
		socket.on('error', reject).on('close', () => resolve(heard));
		socket.setTimeout(10_000, () => socket.destroy());
	});
}
