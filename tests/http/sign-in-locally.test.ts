import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Browser, openBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { failToStart, startServer, type TestServer } from '../support/server.ts';

const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

let server: TestServer;
let browser: Browser;
beforeAll(async () => void (server = await startServer({ LOG_LEVEL: 'debug' })));
afterAll(() => server.dispose());
beforeEach(() => void (browser = openBrowser(server.url)));

const signIn = (email = 'ada@localhost') => browser.post('/auth/local', JSON.stringify({ email }), json);

describe('signing in on the machine itself', () => {
	it('answers a program with 204 and the cookie', async () => {
		const answer = await signIn();
		expect(answer.status).toBe(204);
		expect(answer.cookies).toHaveLength(1);
		expect(answer.cookies[0]).toMatch(/^asura_session=[\w-]{43};/);
		expect(answer.cookies[0]).toMatch(/; Path=\/;/);
		expect(answer.cookies[0]).toMatch(/; HttpOnly/);
		expect(answer.cookies[0]).toMatch(/; SameSite=Lax/i);
		expect(answer.cookies[0]).not.toMatch(/Secure|Domain/);
		expect((await browser.ask('/api/files')).status).toBe(200);
	});

	it('takes a program that is no browser and sends no Origin', async () => {
		const answer = await browser.ask('/auth/local', {
			method: 'POST',
			headers: json,
			body: '{"email":"a@b"}'
		});
		expect(answer.status).toBe(204);
	});

	it('brings the person who pressed the button to where they wanted to go', async () => {
		const answer = await browser.post('/auth/local', 'next=%2Ffiles%3Fa%3D1', form);
		expect([answer.status, answer.location]).toEqual([303, '/files?a=1']);
		expect(browser.cookies.has('asura_session')).toBe(true);
	});

	it('brings nobody to another site', async () => {
		for (const next of [
			'//evil.example',
			'/\\evil.example',
			'https://evil.example',
			'/\t/evil.example',
			''
		]) {
			const answer = await browser.post('/auth/local', new URLSearchParams({ next }).toString(), form);
			expect([answer.status, answer.location]).toEqual([303, '/']);
		}
	});

	it('says what is wrong with a request', async () => {
		for (const body of ['', '{', '{}', '{"email":"nobody"}', '[]', '{"email":1}']) {
			const answer = await browser.post('/auth/local', body, json);
			expect(answer.status).toBe(400);
			expect(answer.json()).toMatchObject({
				code: 'request.invalid',
				requestId: answer.headers['x-request-id']
			});
			expect(answer.cookies).toEqual([]);
		}
	});

	it('is not there for somebody who comes through a proxy', async () => {
		const headers = { ...json, 'x-forwarded-for': '192.0.2.1' };
		const answer = await browser.post('/auth/local', '{"email":"ada@localhost"}', headers);
		expect(answer.status).toBe(404);
		expect(answer.json()).toMatchObject({ code: 'auth.not_configured' });
	});

	it('reads no large bodies', async () => {
		const large = JSON.stringify({ email: `${'a'.repeat(70_000)}@localhost` });
		const answer = await browser.post('/auth/local', large, json);
		expect([answer.status, answer.json().code]).toEqual([413, 'request.too_large']);
	});

	it('leads a stranger from a page to the sign-in and back', async () => {
		const asked = await browser.ask('/?q=a%20b');
		expect([asked.status, asked.location]).toEqual([303, '/sign-in?next=%2F%3Fq%3Da%2520b']);
		const page = await browser.ask(asked.location);
		expect(page.status).toBe(200);
		expect(page.text).toContain('Continue on this machine');
		expect(page.text).toContain('value="/?q=a%20b"');
		await signIn();
		expect((await browser.ask(asked.location)).location).toBe('/?q=a%20b');
		expect((await browser.ask('/')).status).toBe(200);
	});

	it('leads a stranger from the page’s own data requests, too', async () => {
		const answer = await browser.ask('/__data.json');
		expect(answer.json()).toMatchObject({ type: 'redirect', location: '/sign-in?next=%2F' });
	});

	it('knows nothing of the provider', async () => {
		const answer = await browser.ask('/auth/google');
		expect([answer.status, answer.location]).toEqual([303, '/sign-in?error=auth.not_configured']);
	});
});

describe('signing out', () => {
	it('ends the session, for programs and for people', async () => {
		for (const [type, status] of [
			[json, 204],
			[form, 303]
		] as const) {
			await signIn();
			const kept = browser.cookies.get('asura_session')?.value;
			const answer = await browser.post('/auth/sign-out', '', type);
			expect([answer.status, answer.location]).toEqual([status, status === 303 ? '/sign-in' : '']);
			expect(browser.cookies.has('asura_session')).toBe(false);
			const again = await browser.ask('/api/files', { headers: { cookie: `asura_session=${kept}` } });
			expect([again.status, again.json().code]).toEqual([401, 'auth.required']);
		}
	});

	it('does not mind who is not signed in', async () => {
		expect((await browser.post('/auth/sign-out')).status).toBe(204);
	});
});

describe('who may talk to the server', () => {
	it('answers for no name but its own', async () => {
		for (const path of ['/', '/sign-in', '/api/files', '/healthz', '/auth/google']) {
			const answer = await browser.ask(path, { headers: { host: 'evil.example' } });
			expect([answer.status, answer.json().code]).toEqual([421, 'request.wrong_host']);
		}
	});

	it('takes no write with the cookie from another page', async () => {
		await signIn();
		const bytes = { 'content-type': 'application/octet-stream' };
		for (const origin of ['http://evil.example', 'null', server.url.replace('http:', 'https:')]) {
			for (const [method, path, type] of [
				['POST', '/auth/sign-out', form],
				['POST', '/api/files/upload', { 'content-type': 'multipart/form-data; boundary=x' }],
				['PUT', '/api/files', bytes],
				['DELETE', '/api/files/00000000-0000-4000-8000-000000000000', {}]
			] as const) {
				const answer = await browser.ask(path, { method, body: 'x', headers: { ...type, origin } });
				expect([path, answer.status, answer.json().code]).toEqual([path, 403, 'auth.foreign_origin']);
			}
		}
		const silent = await browser.ask('/auth/sign-out', {
			method: 'POST',
			headers: { ...form, 'sec-fetch-site': 'same-origin' }
		});
		expect([silent.status, silent.json().code]).toEqual([403, 'auth.foreign_origin']);
		expect((await browser.ask('/api/files')).status).toBe(200);
	});

	it('signs nobody in from another page', async () => {
		const headers = { ...form, origin: 'http://evil.example' };
		const answer = await browser.ask('/auth/local', { method: 'POST', headers, body: '' });
		expect([answer.status, answer.cookies]).toEqual([403, []]);
	});

	it('asks strangers at the API to sign in', async () => {
		for (const path of ['/api/files', '/api/search?q=x', '/api/files/00000000-0000-4000-8000-000000000000']) {
			const answer = await browser.ask(path);
			expect([answer.status, answer.json().code]).toEqual([401, 'auth.required']);
			expect(answer.headers['cache-control']).toBe('no-store');
		}
	});

	it('takes no made-up token', async () => {
		const cookie = `asura_session=${'x'.repeat(43)}`;
		expect((await browser.ask('/api/files', { headers: { cookie } })).status).toBe(401);
	});
});

describe('what goes wrong', () => {
	it('answers unknown addresses of the API in its own way, whatever the method', async () => {
		for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
			const answer = await browser.ask('/api/nothing/here', { method, headers: { origin: server.url } });
			expect(answer.status).toBe(404);
			expect(answer.json()).toEqual({
				code: 'request.not_found',
				message: 'There is nothing at this address.',
				requestId: answer.headers['x-request-id']
			});
		}
		expect((await browser.ask('/api', {})).status).toBe(404);
		const head = await browser.ask('/api/nothing', { method: 'HEAD' });
		expect([head.status, head.text]).toEqual([404, '']);
	});

	it('says which methods an address takes', async () => {
		const answer = await browser.post('/healthz');
		expect([answer.status, answer.json().code]).toEqual([405, 'request.method_not_allowed']);
		expect(answer.headers.allow).toBe('GET, HEAD');
	});

	it('shows a page for addresses that are not there', async () => {
		await signIn();
		const answer = await browser.ask('/nothing', { headers: { accept: 'text/html' } });
		expect(answer.status).toBe(404);
		expect(answer.headers['content-type']).toMatch(/^text\/html/);
		expect(answer.text).not.toMatch(/\.ts:|at file:/);
	});
});

describe('every answer', () => {
	it('carries a request id of its own and the headers that keep it safe', async () => {
		const ids = new Set<unknown>();
		const byKit = ['/sign-in/', '/_app/nothing', '/favicon.svg'];
		const paths = ['/', '/sign-in', '/nothing', '/api/files', '/api/nothing', '/healthz', '/auth/google'];
		for (const path of [...paths, ...byKit]) {
			const { headers } = await browser.ask(path, { headers: { 'x-request-id': 'chosen-by-the-client' } });
			expect(headers).toMatchObject({
				'x-content-type-options': 'nosniff',
				'referrer-policy': 'same-origin',
				'x-frame-options': 'DENY',
				'cross-origin-opener-policy': 'same-origin',
				'cross-origin-resource-policy': 'same-origin',
				'permissions-policy': expect.stringContaining('camera=()')
			});
			if (byKit.includes(path)) continue;
			expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
			ids.add(headers['x-request-id']);
		}
		expect(ids.size).toBe(paths.length);
	});

	it('is one line in the log, without what signs people in', async () => {
		await signIn();
		const token = browser.cookies.get('asura_session')?.value ?? '';
		const { headers } = await browser.ask('/api/nothing?code=secret-of-the-callback');
		const line = await eventually(() => {
			const lines = server
				.output()
				.split('\n')
				.filter((one) => one.includes(String(headers['x-request-id'])));
			expect(lines).toHaveLength(1);
			return lines[0] ?? '';
		});
		expect(JSON.parse(line)).toMatchObject({
			method: 'GET',
			route: '/api/[...rest]',
			status: 404,
			ms: expect.any(Number),
			code: 'request.not_found'
		});
		expect(token).toHaveLength(43);
		expect(server.output()).not.toContain(token);
		expect(server.output()).not.toContain('secret-of-the-callback');
	});
});

describe('health and metrics', () => {
	it('says that it is alive and ready', async () => {
		expect((await browser.ask('/healthz')).json()).toEqual({ status: 'ok' });
		const ready = await browser.ask('/readyz');
		expect([ready.status, ready.json()]).toEqual([
			200,
			{ status: 'ok', parts: { database: 'ok', storage: 'ok', queue: 'ok' } }
		]);
	});

	it('shows its metrics to the machine itself and to operators, and to nobody else', async () => {
		const metrics = await browser.ask('/metrics');
		expect(metrics.headers['content-type']).toMatch(/^text\/plain/);
		expect(metrics.text).toContain('# TYPE asura_streams gauge');
		const forwarded = { headers: { 'x-forwarded-for': '192.0.2.1' } };
		const answer = await browser.ask('/metrics', forwarded);
		expect([answer.status, answer.json().code]).toEqual([404, 'request.not_found']);
		await signIn('ada@localhost');
		const operator = await browser.ask('/metrics', forwarded);
		expect(operator.status).toBe(200);
		expect(operator.text).not.toContain('ada@');
	});
});

describe('the start', () => {
	it('is refused, in one sentence, beyond loopback without a sign-in', async () => {
		const { code, output } = await failToStart({ HOST: '0.0.0.0' });
		expect(code).not.toBe(0);
		expect(output).toMatch(/^HOST is "0\.0\.0\.0".*GOOGLE_CLIENT_ID.*\n$/);
	});

	it('is refused for a provider without TLS on another machine', async () => {
		const { code, output } = await failToStart({
			GOOGLE_CLIENT_ID: 'id',
			GOOGLE_CLIENT_SECRET: 'secret',
			OIDC_ISSUER: 'http://login.example.org'
		});
		expect(code).not.toBe(0);
		expect(output).toMatch(/^OIDC_ISSUER is .*https.*\n$/);
	});
});
