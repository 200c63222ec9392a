// Keys and tickets by the clock, and under another way of signing in; over HTTP they are asked in tests/http/keys.test.ts.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { readConfig } from '../config.ts';
import { silentLog } from '../log.ts';
import { type Auth, createAuth, type Session } from './auth.ts';
import { createCors } from './cors.ts';
import { scopeOf } from './scopes.ts';

const withGoogle = { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret' };
const minute = 60_000;
const wanted = { name: 'a key', scopes: ['read' as const], expires_at: null };

let platform: TestPlatform;
let clock: Date;
let auth: Auth;
let ada: Session;
beforeAll(async () => void (platform = await openTestPlatform()));
afterAll(() => platform.close());
beforeEach(async () => {
	clock = new Date();
	await platform.db.query('delete from auth.users');
	auth = open();
	ada = (await auth.signInLocally('ada@localhost', 'test')).session;
});

function open(env: Record<string, string> = {}): Auth {
	const config = readConfig(env);
	return createAuth({ db: platform.db, config, identity: undefined, log: silentLog, now: () => clock });
}

const pass = (ms: number) => void (clock = new Date(clock.getTime() + ms));
const knock = { method: 'GET', path: '/api/files/events', address: () => '192.0.2.1' };
const bring = (kind: 'key' | 'ticket', token: string, to = auth) => to.identify({ kind, token }, knock);
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a key', () => {
	it('remembers its last use, and writes it down once a minute at most', async () => {
		const { token } = await auth.makeKey(ada, wanted);
		const used = async () => (await auth.listKeys(ada))[0]?.last_used_at;
		expect(await used()).toBeNull();
		await bring('key', token);
		const first = await used();
		expect(first).toBe(clock.toISOString());
		pass(minute - 1);
		await bring('key', token);
		expect(await used()).toBe(first);
		pass(1);
		await bring('key', token);
		expect(await used()).toBe(clock.toISOString());
	});

	it('is over at its time, to the moment', async () => {
		const expires_at = new Date(clock.getTime() + minute).toISOString();
		const { token, key } = await auth.makeKey(ada, { ...wanted, expires_at });
		pass(minute - 1);
		expect(await bring('key', token)).toMatchObject({ id: key.id, email: 'ada@localhost', scopes: ['read'] });
		expect(await auth.isAlive([key.id, ada.id])).toEqual(new Set([key.id, ada.id]));
		pass(1);
		await expect(bring('key', token)).rejects.toThrow(code('auth.key_invalid'));
		expect(await auth.isAlive([key.id])).toEqual(new Set());
		// Its person still sees it, and may clear it away.
		expect(await auth.listKeys(ada)).toMatchObject([{ id: key.id }]);
	});

	it('is worth nothing under another way of signing in', async () => {
		const { token, key } = await auth.makeKey(ada, wanted);
		const { ticket } = await auth.makeTicket(await bring('key', token));
		const google = open(withGoogle);
		await expect(bring('key', token, google)).rejects.toThrow(code('auth.key_invalid'));
		await expect(bring('ticket', ticket, google)).rejects.toThrow(code('auth.ticket_invalid'));
		expect(await google.isAlive([key.id])).toEqual(new Set());
	});

	it('does not make its person an operator, nor is made for what they are not', async () => {
		const { token } = await auth.makeKey(ada, { ...wanted, scopes: ['admin', 'read'] });
		expect(await bring('key', token)).toMatchObject({ isAdmin: true });
		const plain = { ...ada, isAdmin: false };
		await expect(auth.makeKey(plain, { ...wanted, scopes: ['admin'] })).rejects.toThrow(
			code('auth.not_allowed')
		);
		expect(() => auth.requireOperator({ ...plain, scopes: ['admin'] })).toThrow(code('auth.not_allowed'));
		expect(() => auth.requireOperator({ ...ada, scopes: ['read'] })).toThrow(code('auth.scope_missing'));
	});
});

describe('a ticket', () => {
	it('is good for a minute, and once', async () => {
		const { ticket } = await auth.makeTicket(ada);
		const { ticket: late } = await auth.makeTicket(ada);
		pass(minute - 1);
		expect(await bring('ticket', ticket)).toMatchObject({ id: ada.id, scopes: ['read'] });
		await expect(bring('ticket', ticket)).rejects.toThrow(code('auth.ticket_invalid'));
		pass(1);
		await expect(bring('ticket', late)).rejects.toThrow(code('auth.ticket_invalid'));
	});

	it('opens one stream only, also for two who come at once', async () => {
		const { ticket } = await auth.makeTicket(ada);
		const asked = await Promise.allSettled([1, 2, 3, 4].map(() => bring('ticket', ticket)));
		expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
	});

	it('is one of few: the oldest of very many goes', async () => {
		const { ticket: first } = await auth.makeTicket(ada);
		for (let i = 0; i < 64; i++) {
			pass(1);
			await auth.makeTicket(ada);
		}
		await expect(bring('ticket', first)).rejects.toThrow(code('auth.ticket_invalid'));
		const { rows } = await platform.db.query('select count(*)::int as n from asura.stream_tickets');
		expect(rows).toEqual([{ n: 64 }]);
	});
});

it.each([
	['GET', '/api/files', 'read'],
	['HEAD', '/api/files/x/content', 'read'],
	['POST', '/api/stream-tickets', 'read'],
	['POST', '/api/files/upload', 'write'],
	['DELETE', '/api/files/x', 'write'],
	['HEAD', '/api/uploads/x', 'write'],
	['GET', '/metrics', 'admin']
] as const)('%s %s needs the scope %s', (method, path, scope) => {
	expect(scopeOf(method, path)).toBe(scope);
});

it('never allows credentials to everybody', () => {
	const headers = { origin: 'https://any.example' };
	const told = Object.fromEntries(createCors(['*']).headersFor({ path: '/api/files', headers }));
	expect(told).toMatchObject({ 'access-control-allow-origin': '*' });
	expect(told).not.toHaveProperty('access-control-allow-credentials');
	expect(createCors([]).headersFor({ path: '/api/files', headers })).toEqual([]);
});
