import { describe, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { type Arrival, createGuard } from './guard.ts';

const withGoogle = { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret' };
const local = createGuard(readConfig({}));
const open = createGuard(readConfig({ ORIGIN: 'https://files.example.org', HOST: '0.0.0.0', ...withGoogle }));
const cookie = `asura_session=${'t'.repeat(43)}`;

function arrive(headers: Arrival['headers'], rest: Partial<Omit<Arrival, 'headers'>> = {}): Arrival {
	return { method: 'GET', path: '/', headers, ...rest };
}

describe('the guard of the Host', () => {
	const names: [string, typeof local, string | undefined, string, boolean][] = [
		['loopback', local, '127.0.0.1:3000', '/', true],
		['loopback', local, 'localhost', '/', true],
		['loopback', local, 'LOCALHOST:8080', '/', true],
		['loopback', local, '[::1]:3000', '/', true],
		['loopback', local, '127.9.9.9', '/', true],
		['loopback', local, 'evil.example', '/', false],
		['loopback', local, 'evil.example:3000', '/healthz', false],
		['loopback', local, 'localhost.evil.example', '/', false],
		['loopback', local, '127.0.0.1.evil.example', '/', false],
		['loopback', local, '192.168.1.5', '/', false],
		['loopback', local, 'evil.example@localhost', '/', false],
		['loopback', local, 'localhost/', '/', false],
		['loopback', local, '', '/', false],
		['loopback', local, undefined, '/', false],
		['ORIGIN', open, 'files.example.org', '/', true],
		['ORIGIN', open, 'FILES.example.org:443', '/', true],
		['ORIGIN', open, 'files.example.org:8443', '/', false],
		['ORIGIN', open, 'evil.example', '/', false],
		['ORIGIN', open, '127.0.0.1:3000', '/', false],
		['ORIGIN', open, '127.0.0.1:3000', '/healthz', true],
		['ORIGIN', open, 'localhost', '/readyz', true],
		['ORIGIN', open, 'localhost', '/metrics', true],
		['ORIGIN', open, 'localhost', '/metrics/x', false]
	];
	for (const [kind, guard, host, path, isOurs] of names) {
		it(`(${kind}) ${isOurs ? 'answers' : 'does not answer'} for ${JSON.stringify(host)} at ${path}`, () => {
			const admit = () => guard.admit(arrive({ host }, { path }));
			if (isOurs) expect(admit).not.toThrow();
			else expect(admit).toThrow(expect.objectContaining({ code: 'request.wrong_host', status: 421 }));
		});
	}

	it('answers for the address it listens on, when that is not loopback and no ORIGIN is set', () => {
		const guard = createGuard(readConfig({ HOST: '192.0.2.7', ...withGoogle }));
		expect(() => guard.admit(arrive({ host: '192.0.2.7:3000' }))).not.toThrow();
		expect(() => guard.admit(arrive({ host: 'evil.example' }))).toThrow();
	});
});

describe('the guard of the Origin', () => {
	const host = '127.0.0.1:3000';
	const ours = 'http://127.0.0.1:3000';
	const foreign = [
		'http://evil.example',
		'https://127.0.0.1:3000',
		'http://127.0.0.1:3001',
		'http://localhost:3000',
		'http://127.0.0.1:3000.evil.example',
		'null',
		''
	];

	it('lets a write with the cookie pass only from our own pages', () => {
		for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY']) {
			expect(local.admit(arrive({ host, cookie, origin: ours }, { method }))).toEqual({
				kind: 'session',
				token: 't'.repeat(43)
			});
			for (const origin of [...foreign, undefined]) {
				const headers = { host, cookie, origin, 'content-type': 'application/octet-stream' };
				expect(() => local.admit(arrive(headers, { method }))).toThrow(
					expect.objectContaining({ code: 'auth.foreign_origin', status: 403 })
				);
			}
		}
	});

	it('is not satisfied by Sec-Fetch-Site alone', () => {
		const headers = { host, cookie, 'sec-fetch-site': 'same-origin' };
		expect(() => local.admit(arrive(headers, { method: 'POST' }))).toThrow();
	});

	it('needs no Origin from a program that brings no cookie, but none may be foreign', () => {
		expect(local.admit(arrive({ host }, { method: 'POST' }))).toBeUndefined();
		for (const origin of foreign) {
			expect(() => local.admit(arrive({ host, origin }, { method: 'POST' }))).toThrow();
		}
	});

	it('lets reading pass from anywhere: what is read is kept from other sites by the browser', () => {
		for (const method of ['GET', 'HEAD', 'OPTIONS']) {
			expect(() =>
				local.admit(arrive({ host, cookie, origin: 'http://evil.example' }, { method }))
			).not.toThrow();
		}
	});

	it('demands ORIGIN behind a proxy', () => {
		const write = (origin: string) => () =>
			open.admit(arrive({ host: 'files.example.org', cookie, origin }, { method: 'POST' }));
		expect(write('https://files.example.org')).not.toThrow();
		expect(write('http://files.example.org')).toThrow();
		expect(write('https://evil.example')).toThrow();
	});
});

describe('the guard of the size', () => {
	const host = 'localhost';
	const post = (path: string, headers: Record<string, string>) => () =>
		local.admit(arrive({ host, ...headers }, { method: 'POST', ...split(path) }));
	const split = (target: string) => {
		const [path = '', query] = target.split(/(?=\?)/);
		return { path, query };
	};

	it('lets bodies pass that say they are small, and uploads of any size', () => {
		expect(post('/auth/local', {})).not.toThrow();
		expect(post('/auth/local', { 'content-length': '65536' })).not.toThrow();
		expect(post('/api/files/upload', { 'content-length': '999999999' })).not.toThrow();
		expect(post('/api/files/upload?a=1', { 'transfer-encoding': 'chunked' })).not.toThrow();
		expect(post('/api/uploads/some-id', { 'transfer-encoding': 'chunked' })).not.toThrow();
		expect(post('/?/upload', { 'content-length': '999999999' })).not.toThrow();
	});

	it('refuses others before they are read', () => {
		const tooLarge = expect.objectContaining({ code: 'request.too_large', status: 413 });
		expect(post('/auth/local', { 'content-length': '65537' })).toThrow(tooLarge);
		expect(post('/auth/local', { 'transfer-encoding': 'chunked' })).toThrow(tooLarge);
		for (const other of [
			'/api/files/uploads-not',
			'/',
			'/?/delete',
			'/?/delete&/upload',
			'/?/upload&/delete'
		]) {
			expect(post(other, { 'content-length': '65537' })).toThrow(tooLarge);
		}
	});
});

describe('the session cookie', () => {
	it('is found among others', () => {
		const read = (value: string) => local.admit(arrive({ host: 'localhost', cookie: value }))?.token;
		expect(read('a=1; asura_session=abc; b=2')).toBe('abc');
		expect(read('asura_session=abc')).toBe('abc');
		expect(read('xasura_session=abc')).toBeUndefined();
		expect(read('asura_session=')).toBeUndefined();
		expect(read('')).toBeUndefined();
	});
});

describe('a key', () => {
	const host = 'localhost';
	const key = `asura_${'k'.repeat(43)}`;
	const authorization = `Bearer ${key}`;

	it('counts before the cookie, and needs no Origin', () => {
		for (const method of ['GET', 'POST', 'DELETE']) {
			for (const origin of [undefined, 'http://evil.example']) {
				const headers = { host, cookie, authorization, origin };
				expect(local.admit(arrive(headers, { method, path: '/api/files' }))).toEqual({
					kind: 'key',
					token: key
				});
			}
		}
	});

	it('is for programs: on a page it is not looked at, and what is no key does not hide the cookie', () => {
		expect(local.admit(arrive({ host, authorization }, { path: '/settings/keys' }))).toBeUndefined();
		expect(local.admit(arrive({ host, authorization }, { path: '/auth/sign-out' }))).toBeUndefined();
		const basic = { host, cookie, authorization: 'Basic YTpi' };
		expect(local.admit(arrive(basic, { path: '/api/files' }))).toMatchObject({ kind: 'session' });
		const empty = { host, cookie, authorization: 'Bearer' };
		expect(local.admit(arrive(empty, { path: '/api/files' }))).toEqual({ kind: 'key', token: '' });
	});

	it('is refused in an address, under whatever name', () => {
		for (const query of [`?q=${key}`, `?ticket=${key}`, '?access_token=x', '?Token=x', '?api_key=x']) {
			expect(() => local.admit(arrive({ host }, { path: '/api/search', query }))).toThrow(
				expect.objectContaining({ code: 'auth.key_in_url', status: 400 })
			);
		}
		expect(() =>
			local.admit(arrive({ host }, { path: '/api/search', query: '?q=asura_token' }))
		).not.toThrow();
	});
});

it('takes a ticket where a stream is, and nowhere else', () => {
	const admit = (path: string) => local.admit(arrive({ host: 'localhost' }, { path, query: '?ticket=abc' }));
	for (const path of ['/api/files/events', '/api/files/some-id/events'])
		expect(admit(path)).toEqual({ kind: 'ticket', token: 'abc' });
	for (const path of ['/api/files', '/api/files/changes', '/api/files/some-id', '/api/events'])
		expect(() => admit(path)).toThrow(expect.objectContaining({ code: 'auth.ticket_misplaced' }));
	expect(admit('/settings/keys')).toBeUndefined();
});

it('tells the machine itself from whoever comes through a proxy on it', () => {
	const isFromHere = (address: string, headers: Arrival['headers'] = {}) =>
		local.isFromThisMachine({ address, headers: { host: 'localhost:3000', ...headers } });
	for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(isFromHere(address)).toBe(true);
	for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '']) expect(isFromHere(address)).toBe(false);
	expect(isFromHere('127.0.0.1', { 'x-forwarded-for': '192.0.2.1' })).toBe(false);
	expect(isFromHere('127.0.0.1', { forwarded: 'for=192.0.2.1' })).toBe(false);
	expect(isFromHere('127.0.0.1', { host: 'files.example.org' })).toBe(false);
});
