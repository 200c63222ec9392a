// Keys, tickets and other origins over real HTTP: what opens the door, what does not, and what is never written down.
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyLimits } from '#lib/shared/keys.ts';
import { eventually } from '../support/eventually.ts';
import { makeKey, withKey } from '../support/keys.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSse } from '../support/sse.ts';
import { enter, type Person } from './person.ts';

const friend = 'https://app.example.org';
let server: TestServer;
let ada: Person;
let bob: Person;
const secrets: string[] = [];

beforeAll(async () => {
	server = await startServer({ LOG_LEVEL: 'debug', CORS_ORIGINS: `${friend}, https://other.example.org/` });
	ada = await enter(server);
	bob = await enter(server, 'bob@localhost');
});
afterAll(() => server.dispose());

const post = { method: 'POST' };
const at = (path: string) => new URL(path, server.url);
const stream = '/api/files/events';

async function keyOf(...given: Parameters<typeof makeKey>) {
	const made = await makeKey(...given);
	secrets.push(made.token);
	return { ...made, ...withKey(server, made.token) };
}

async function ticketOf(asker: { ask: Person['ask'] }): Promise<string> {
	const answer = await asker.ask('/api/stream-tickets', post);
	expect(answer.status).toBe(201);
	const { ticket, expires_at } = await answer.json();
	const left = Date.parse(expires_at) - Date.now();
	expect(left).toBeGreaterThan(50_000);
	expect(left).toBeLessThanOrEqual(60_000);
	secrets.push(ticket);
	return ticket;
}

describe('a key', () => {
	it('is shown once, and stands for its person on every door', async () => {
		const { key, token, ask } = await keyOf(ada);
		expect(token).toMatch(/^asura_[\w-]{43}$/);
		expect(token.startsWith(key.hint)).toBe(true);
		const body = new FormData();
		body.append('file', new File(['sent by a program'], 'program.txt'));
		const answer = await ask('/api/files/upload', { ...post, body });
		expect(answer.status).toBe(201);
		const [file] = (await answer.json()).files;
		expect((await ada.get(file.id)).filename).toBe('program.txt');
		expect((await bob.ask(`/api/files/${file.id}`)).status).toBe(404);

		const live = await openSse(at(stream), { headers: { authorization: `Bearer ${token}` } });
		await live.next('snapshot');
		live.close();

		const { keys } = await (await ada.ask('/api/keys')).json();
		const [listed] = keys.filter(({ id }: { id: string }) => id === key.id);
		expect(Date.now() - Date.parse(listed.last_used_at)).toBeLessThan(60_000);
		expect(JSON.stringify(keys)).not.toContain(token);
	});

	it('does what its scopes allow, and no more', async () => {
		const read = await keyOf(ada, ['read']);
		const write = await keyOf(ada, ['write']);
		const file = await ada.add('scoped.txt', 'scoped');
		expect(await read.told('/api/files')).toBe('200');
		expect((await read.ask(`/api/files/${file.id}/content`, { method: 'HEAD' })).status).toBe(200);
		expect(await read.told(`/api/files/${file.id}`, { method: 'DELETE' })).toBe('403 auth.scope_missing');
		expect(await read.told('/api/files/upload', { ...post, body: new FormData() })).toBe(
			'403 auth.scope_missing'
		);
		expect(await write.told('/api/files')).toBe('403 auth.scope_missing');
		expect(await write.told(stream)).toBe('403 auth.scope_missing');
		expect(await write.told(`/api/files/${file.id}`, { method: 'DELETE' })).toBe('204');
	});

	it('operates only with the scope for it', async () => {
		const body = JSON.stringify({ to: 'everybody', event: 'test-event' });
		const plain = await keyOf(ada);
		const operator = await keyOf(ada, ['write', 'admin']);
		expect(await plain.told('/api/events', { ...post, body })).toBe('403 auth.scope_missing');
		expect(await operator.told('/api/events', { ...post, body })).toBe('202');
		expect(await plain.told('/metrics')).toBe('403 auth.scope_missing');
		expect(await operator.told('/metrics')).toBe('200');
	});

	it('makes, lists and revokes no keys, and opens no page', async () => {
		const { key, told, ask } = await keyOf(ada, ['read', 'write', 'admin']);
		const body = JSON.stringify({ name: 'child', scopes: ['read'] });
		expect(await told('/api/keys')).toBe('403 auth.session_only');
		expect(await told('/api/keys', { ...post, body })).toBe('403 auth.session_only');
		expect(await told(`/api/keys/${key.id}`, { method: 'DELETE' })).toBe('403 auth.session_only');
		const page = await ask('/settings/keys?/make', { ...post, body: new URLSearchParams({ name: 'child' }) });
		expect([page.status, page.headers.get('location')]).toEqual([303, '/sign-in?next=%2Fsettings%2Fkeys']);
	});

	it('ends with its revocation, its streams with bye', { timeout: 20_000 }, async () => {
		const { key, token, told } = await keyOf(ada);
		const headers = { authorization: `Bearer ${token}` };
		const live = await openSse(at(stream), { headers });
		await live.next('snapshot');
		const byTicket = await openSse(at(`${stream}?ticket=${await ticketOf(withKey(server, token))}`));
		await byTicket.next('snapshot');

		expect(await bob.refusal(`/api/keys/${key.id}`, { method: 'DELETE' })).toBe('404 key.not_found');
		expect(await ada.refusal('/api/keys/not-an-id', { method: 'DELETE' })).toBe('404 key.not_found');
		expect((await ada.ask(`/api/keys/${key.id}`, { method: 'DELETE' })).status).toBe(204);
		for (const one of [live, byTicket]) {
			expect((await one.next('bye', 5000)).data.reason).toBe('signed_out');
			await eventually(() => expect(one.isEnded).toBe(true));
		}
		expect(await told('/api/files')).toBe('401 auth.key_invalid');
		expect(await told(stream)).toBe('401 auth.key_invalid');
	});

	it('ends when its time is over, its streams with bye', { timeout: 20_000 }, async () => {
		const { token, told } = await keyOf(ada, ['read'], new Date(Date.now() + 2500).toISOString());
		const live = await openSse(at(stream), { headers: { authorization: `Bearer ${token}` } });
		await live.next('snapshot');
		expect((await live.next('bye', 8000)).data.reason).toMatch(/session_expired|signed_out/);
		expect(await told('/api/files')).toBe('401 auth.key_invalid');
	});

	it('is refused when it asks for what nobody may have', async () => {
		const make = (body: unknown) => ada.refusal('/api/keys', { ...post, body: JSON.stringify(body) });
		const good = { name: 'a', scopes: ['read'] };
		expect(await make({ ...good, name: ' ' })).toBe('400 request.invalid');
		expect(await make({ ...good, scopes: [] })).toBe('400 request.invalid');
		expect(await make({ ...good, scopes: ['root'] })).toBe('400 request.invalid');
		expect(await make({ ...good, expires_at: '2020-01-01T00:00:00.000Z' })).toBe('400 request.invalid');
		expect(await make({ ...good, expires_at: 'soon' })).toBe('400 request.invalid');
		expect(await make({ ...good, user: 'bob' })).toBe('400 request.invalid');
		const foreign = { ...post, body: JSON.stringify(good), headers: { origin: friend } };
		expect(await ada.refusal('/api/keys', foreign)).toBe('403 auth.foreign_origin');
	});

	it(`is one of at most ${keyLimits.perPerson}`, async () => {
		const carol = await enter(server, 'carol@localhost');
		const asked = await Promise.all(
			Array.from({ length: keyLimits.perPerson + 5 }, () =>
				carol.ask('/api/keys', { ...post, body: JSON.stringify({ name: 'one', scopes: ['read'] }) })
			)
		);
		expect(asked.filter(({ status }) => status === 201)).toHaveLength(keyLimits.perPerson);
		expect(asked.filter(({ status }) => status === 409)).toHaveLength(5);
	});
});

describe('a key in an address', () => {
	it('is refused, wherever it stands, also beside a good cookie', async () => {
		const { token } = await keyOf(ada);
		for (const query of [`token=${token}`, `ticket=${token}`, `access_token=${token}`, `q=${token}`]) {
			for (const path of [stream, '/api/search', '/api/files'])
				expect(await ada.refusal(`${path}?${query}`)).toBe('400 auth.key_in_url');
		}
	});
});

describe('a ticket', () => {
	it('opens one stream, once', async () => {
		const reader = await keyOf(ada, ['read']);
		for (const asker of [ada, reader]) {
			const ticket = await ticketOf(asker);
			const live = await openSse(at(`${stream}?ticket=${ticket}`));
			await live.next('snapshot');
			live.close();
			const again = await openSse(at(`${stream}?ticket=${ticket}`));
			await eventually(() => expect(again.text).toContain('auth.ticket_invalid'));
			expect(again.status).toBe(401);
		}
	});

	it('follows one file of its own person, and no other’s', async () => {
		const file = await ada.add('followed.txt', 'followed');
		const live = await openSse(at(`/api/files/${file.id}/events?ticket=${await ticketOf(ada)}`));
		await live.next('connected');
		live.close();
		const foreign = await openSse(at(`/api/files/${file.id}/events?ticket=${await ticketOf(bob)}`));
		expect(foreign.status).toBe(404);
	});

	it('opens nothing but streams', async () => {
		for (const path of ['/api/files', '/api/files/changes', '/api/search', '/api/keys']) {
			const answer = await fetch(at(`${path}?ticket=${await ticketOf(ada)}`));
			expect([answer.status, (await answer.json()).code]).toEqual([400, 'auth.ticket_misplaced']);
		}
		const upload = await fetch(at(`${stream}?ticket=${await ticketOf(ada)}`), post);
		expect(upload.ok).toBe(false);
	});

	it('is not given to strangers, and ends with the session that asked for it', async () => {
		expect((await fetch(at('/api/stream-tickets'), post)).status).toBe(401);
		const dora = await enter(server, 'dora@localhost');
		const unused = await ticketOf(dora);
		const live = await openSse(at(`${stream}?ticket=${await ticketOf(dora)}`));
		await live.next('snapshot');
		await dora.ask('/auth/sign-out', post);
		expect((await live.next('bye', 5000)).data.reason).toBe('signed_out');
		expect((await openSse(at(`${stream}?ticket=${unused}`))).status).toBe(401);
	});
});

describe('another origin', () => {
	const preflight = (origin: string, path = '/api/files') =>
		fetch(at(path), {
			method: 'OPTIONS',
			headers: {
				origin,
				'access-control-request-method': 'POST',
				'access-control-request-headers': 'authorization'
			}
		});

	it('on the list may ask with a key, and read what it needs of the answer', async () => {
		const allowed = await preflight(friend);
		expect(allowed.status).toBe(204);
		expect(allowed.headers.get('access-control-allow-origin')).toBe(friend);
		expect(allowed.headers.get('access-control-allow-headers')).toMatch(/Authorization.*Tus-Resumable/);
		expect(allowed.headers.get('access-control-allow-methods')).toContain('PATCH');
		expect(allowed.headers.get('vary')).toContain('Origin');

		const { ask } = await keyOf(ada);
		const answer = await ask('/api/stream-tickets', { ...post, headers: { origin: friend } });
		expect(answer.status).toBe(201);
		expect(answer.headers.get('access-control-allow-origin')).toBe(friend);
		expect(answer.headers.get('access-control-expose-headers')).toMatch(/Asura-File-Id.*Upload-Offset/);

		const { ticket } = await answer.json();
		const live = await openSse(at(`${stream}?ticket=${ticket}`), { headers: { origin: friend } });
		expect(live.headers['access-control-allow-origin']).toBe(friend);
		expect(live.headers.vary).toBe('Origin');
		live.close();
		const refused = await openSse(at(stream), { headers: { origin: friend } });
		expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, friend]);
	});

	it('on the list may not write with the cookie', async () => {
		const headers = { origin: friend };
		expect(await ada.refusal('/api/stream-tickets', { ...post, headers })).toBe('403 auth.foreign_origin');
	});

	it('that is not on it is told nothing', async () => {
		for (const origin of ['https://evil.example', 'https://app.example.org.evil.example', 'null']) {
			const refused = await preflight(origin);
			expect(refused.status).toBe(403);
			const read = await ada.ask('/api/files', { headers: { origin } });
			const live = await openSse(at(stream), { headers: { origin }, cookie: ada.cookie });
			live.close();
			for (const headers of [refused.headers, read.headers])
				expect(headers.get('access-control-allow-origin')).toBeNull();
			expect(live.headers['access-control-allow-origin']).toBeUndefined();
			expect(read.headers.get('vary')).toContain('Origin');
		}
	});

	it('has the API only', async () => {
		for (const path of ['/', '/healthz', '/auth/local']) {
			const answer = await fetch(at(path), { headers: { origin: friend }, redirect: 'manual' });
			expect(answer.headers.get('access-control-allow-origin')).toBeNull();
		}
	});
});

it('wrong keys are refused, and those who bring many of them are held back', async () => {
	const answers: string[] = [];
	for (let i = 0; i < 40; i++) {
		const key = withKey(server, i % 2 ? `asura_${'x'.repeat(43)}` : 'nonsense');
		answers.push(await key.told(i % 3 ? '/api/files' : stream));
	}
	expect(answers[0]).toBe('401 auth.key_invalid');
	expect(answers.at(-1)).toBe('429 request.too_many');
	// Neighbours with a good one are not locked out.
	expect(await (await keyOf(ada)).told('/api/files')).toBe('200');
});

it('neither keys nor tickets are ever written down', async () => {
	// Also where a client sends what no client should.
	for (const secret of secrets.slice(0, 3)) {
		await fetch(at(`/api/nowhere/${secret}?x=${secret}`), { headers: { authorization: `Basic ${secret}` } });
		await new Promise<void>((resolve, reject) => {
			const options = { path: `/${secret}`, host: '127.0.0.1', port: at('/').port };
			request(options, (response) => response.resume().once('end', resolve))
				.once('error', reject)
				.end();
		});
	}
	expect(secrets.length).toBeGreaterThan(10);
	expect(server.output()).toContain('"method":"POST"');
	for (const secret of secrets) expect(server.output()).not.toContain(secret);
});
