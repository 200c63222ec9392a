import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../tests/support/eventually.ts';
import { openTestPlatform, type TestPlatform } from '../../../../tests/support/database.ts';
import { type Config, readConfig } from '../config.ts';
import { silentLog } from '../log.ts';
import type { Identity, Person } from '../platform/platform.ts';
import { type Auth, createAuth } from './auth.ts';

const day = 24 * 60 * 60_000;
const withSupabase = {
	SUPABASE_URL: 'https://abc.supabase.co/',
	SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_x',
	SUPABASE_SECRET_KEY: 'sb_secret_x',
	DATABASE_URL: 'postgres://localhost/postgres'
};
const withGoogle = { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret' };

let platform: TestPlatform;
let clock: Date;
beforeAll(async () => void (platform = await openTestPlatform()));
afterAll(() => platform.close());
beforeEach(async () => {
	clock = new Date();
	await platform.db.query('delete from auth.users');
});

function open(env: Record<string, string> = {}, identity?: Identity): Auth {
	const config: Config = readConfig(env);
	return createAuth({ db: platform.db, config, identity, log: silentLog, now: () => clock });
}

function pass(ms: number): void {
	clock = new Date(clock.getTime() + ms);
}

/** A provider at which these people sign in, one after the other. */
function providerOf(...people: Person[]): Identity {
	return {
		begin: async () => ({ url: new URL('https://provider.example/'), pending: 'pending' }),
		finish: async () => {
			const person = people.shift();
			if (!person) throw new Error('nobody is left to sign in');
			return { person, returnTo: '//evil.example' };
		}
	};
}

function finish(auth: Auth, userAgent = 'test') {
	const callback = new URL('http://127.0.0.1:3000/auth/callback?code=1');
	return auth.finish({ callback, pending: 'pending', address: '127.0.0.1', userAgent });
}

const ada = { subject: '1', email: 'ada@example.org', name: 'Ada' };
const bob = { subject: '2', email: 'bob@example.org', name: 'Bob' };

describe('a session', () => {
	it('of very many is the last used; those not seen for longest end', async () => {
		const auth = open();
		const first = await auth.signInLocally('ada@localhost', 'test');
		pass(1000);
		await platform.db.query(
			`insert into asura.sessions (user_id, token_hash, provider, user_agent, created_at, last_seen_at, expires_at)
			 select $1::uuid, 'hash ' || n, 'local', '', $2::timestamptz, $2::timestamptz, $2::timestamptz + interval '1 day'
			 from generate_series(1, 999) n`,
			[first.session.userId, clock.toISOString()]
		);
		expect(await auth.find(first.token)).toBeDefined();
		const last = await auth.signInLocally('ada@localhost', 'test');
		expect(await auth.find(first.token)).toBeUndefined();
		expect(await auth.find(last.token)).toBeDefined();
		const { rows } = await platform.db.query('select count(*)::int as count from asura.sessions');
		expect(rows).toEqual([{ count: 1000 }]);
	});

	it('is found by its token, and by nothing else', async () => {
		const auth = open();
		const { token, session } = await auth.signInLocally('Ada@Localhost ', 'test');
		expect(session).toMatchObject({ email: 'ada@localhost', name: 'ada', isLocal: true, isAdmin: true });
		expect(await auth.find(token)).toEqual(session);
		for (const wrong of [undefined, '', session.id, `${token}x`, token.toLowerCase()]) {
			expect(await auth.find(wrong)).toBeUndefined();
		}
	});

	it('keeps its token out of the database', async () => {
		const { token } = await open().signInLocally('ada@localhost', 'test');
		expect(Buffer.from(token, 'base64url')).toHaveLength(32);
		const { rows } = await platform.db.query('select row_to_json(s)::text as row from asura.sessions s');
		expect(rows).toHaveLength(1);
		expect(JSON.stringify(rows)).not.toContain(token);
	});

	it('ends 30 days after its last use', async () => {
		const auth = open();
		const { token } = await auth.signInLocally('ada@localhost', 'test');
		pass(29 * day);
		expect((await auth.find(token))?.expiresAt?.getTime()).toBe(clock.getTime() + 30 * day);
		pass(30 * day - 1000);
		expect(await auth.find(token)).toBeDefined();
		pass(30 * day + 1000);
		expect(await auth.find(token)).toBeUndefined();
	});

	it('is written to at most once an hour', async () => {
		const auth = open();
		const { token } = await auth.signInLocally('ada@localhost', 'test');
		const xmin = async () => (await platform.db.query('select xmin::text from asura.sessions')).rows[0]?.xmin;
		const before = await xmin();
		pass(59 * 60_000);
		await auth.find(token);
		expect(await xmin()).toBe(before);
		pass(2 * 60_000);
		await auth.find(token);
		expect(await xmin()).not.toBe(before);
	});

	it('ends at sign-out, and those who listen are told once', async () => {
		const auth = open();
		const ended: unknown[] = [];
		auth.onEnded((...event) => ended.push(event));
		const { token, session } = await auth.signInLocally('ada@localhost', 'test');
		await auth.signOut(token);
		await auth.signOut(token);
		await auth.signOut(undefined);
		expect(ended).toEqual([[session.id, 'signed_out']]);
		expect(await auth.find(token)).toBeUndefined();
	});

	it('ends when the same browser signs in again', async () => {
		const auth = open();
		const first = await auth.signInLocally('ada@localhost', 'test');
		const second = await auth.signInLocally('bob@localhost', 'test', first.token);
		expect(await auth.find(first.token)).toBeUndefined();
		expect(await auth.find(second.token)).toBeDefined();
	});

	it('is removed once it has expired, and those who listen are told within seconds', async () => {
		const auth = open();
		const ended: unknown[] = [];
		const stopListening = auth.onEnded((...event) => ended.push(event));
		const { session } = await auth.signInLocally('ada@localhost', 'test');
		auth.start();
		pass(30 * day + 1);
		await eventually(() => expect(ended).toEqual([[session.id, 'session_expired']]), { timeoutMs: 5000 });
		auth.stop();
		stopListening();
		expect((await platform.db.query('select from asura.sessions')).rowCount).toBe(0);
	});

	it('is known to be over in another process', async () => {
		const [here, there] = [open(), open()];
		const one = await here.signInLocally('ada@localhost', 'test');
		const two = await here.signInLocally('bob@localhost', 'test');
		const ids = [one.session.id, two.session.id];
		expect(await here.isAlive(ids)).toEqual(new Set(ids));
		await there.signOut(one.token);
		expect(await here.isAlive(ids)).toEqual(new Set([two.session.id]));
		expect(await here.isAlive([])).toEqual(new Set());
	});

	it('of the machine itself is worth nothing once a provider is configured, or the server is open', async () => {
		const { token, session } = await open().signInLocally('ada@localhost', 'test');
		for (const env of [withGoogle, { ORIGIN: 'https://files.example.org' }]) {
			const auth = open(env, providerOf());
			expect(await auth.find(token)).toBeUndefined();
			expect(await auth.isAlive([session.id])).toEqual(new Set());
		}
		expect(await open().find(token)).toBeDefined();
	});

	it('is demanded with auth.required', () => {
		expect(() => open().require(undefined)).toThrow(expect.objectContaining({ code: 'auth.required' }));
	});
});

describe('signing in on the machine itself', () => {
	it('is open only while nothing else is configured and nobody else can reach the server', async () => {
		const isOpen = (env: Record<string, string>) => open(env).isLocalOpen;
		expect(isOpen({})).toBe(true);
		expect(isOpen({ HOST: '::1' })).toBe(true);
		expect(isOpen({ ORIGIN: 'http://localhost:8080' })).toBe(true);
		expect(isOpen(withGoogle)).toBe(false);
		expect(isOpen({ ...withGoogle, HOST: '0.0.0.0' })).toBe(false);
		expect(isOpen({ ORIGIN: 'https://files.example.org' })).toBe(false);
		await expect(open(withGoogle).signInLocally('ada@localhost', '')).rejects.toMatchObject({
			code: 'auth.not_configured'
		});
	});

	it('gives the same person the same account', async () => {
		const auth = open();
		const one = await auth.signInLocally('ada@localhost', 'test');
		const two = await auth.signInLocally('ADA@localhost', 'test');
		const other = await auth.signInLocally('bob@localhost', 'test');
		expect(two.session.userId).toBe(one.session.userId);
		expect(other.session.userId).not.toBe(one.session.userId);
	});

	it('holds when a person signs in for the first time several times at once', async () => {
		const auth = open();
		const all = await Promise.all([1, 2, 3, 4].map(() => auth.signInLocally('ada@localhost', 'test')));
		expect(new Set(all.map(({ session }) => session.userId)).size).toBe(1);
	});
});

describe('signing in with a provider', () => {
	it('knows a person by the subject, and follows a changed address and name', async () => {
		const auth = open(withGoogle, providerOf(ada, { ...ada, email: 'ada@new.example', name: 'Ada L.' }));
		const [one, two] = [await finish(auth), await finish(auth)];
		expect(two.session).toMatchObject({
			userId: one.session.userId,
			email: 'ada@new.example',
			name: 'Ada L.'
		});
		expect(two.session.isLocal).toBe(false);
	});

	it('refuses a second subject with an address that another account has, and merges nothing', async () => {
		const auth = open(withGoogle, providerOf(ada, { ...ada, subject: '3' }, ada));
		const first = await finish(auth);
		await expect(finish(auth)).rejects.toMatchObject({ code: 'auth.address_taken' });
		expect((await platform.db.query('select from auth.users')).rowCount).toBe(1);
		expect((await platform.db.query('select from auth.identities')).rowCount).toBe(1);
		expect((await finish(auth)).session.userId).toBe(first.session.userId);
	});

	it('refuses a known person who now brings the address of another account', async () => {
		const auth = open(withGoogle, providerOf(ada, bob, { ...bob, email: ada.email }, bob));
		await finish(auth);
		const second = await finish(auth);
		await expect(finish(auth)).rejects.toMatchObject({ code: 'auth.address_taken' });
		expect((await finish(auth)).session).toMatchObject({ userId: second.session.userId, email: bob.email });
	});

	it('does not merge a person of the provider with one of the machine itself', async () => {
		await open().signInLocally(ada.email, 'test');
		await expect(finish(open(withGoogle, providerOf(ada)))).rejects.toMatchObject({
			code: 'auth.address_taken'
		});
	});

	it('makes operators only of the addresses that are configured', async () => {
		const auth = open({ ...withGoogle, ADMIN_EMAILS: 'Ada@example.org' }, providerOf(ada, bob));
		expect((await finish(auth)).session.isAdmin).toBe(true);
		expect((await finish(auth)).session.isAdmin).toBe(false);
	});

	it('sends nobody to another site afterwards', async () => {
		expect((await finish(open(withGoogle, providerOf(ada)))).returnTo).toBe('/');
	});

	it('refuses a callback in a browser that began nothing', async () => {
		const auth = open(withGoogle, providerOf(ada));
		const callback = new URL('http://127.0.0.1:3000/auth/callback?code=1');
		await expect(
			auth.finish({ callback, pending: undefined, address: '127.0.0.1', userAgent: '' })
		).rejects.toMatchObject({ code: 'auth.state_mismatch' });
	});

	it('is not there when none is configured', async () => {
		const input = { origin: 'http://127.0.0.1:3000', returnTo: null, address: '127.0.0.1' };
		await expect(open().begin(input)).rejects.toMatchObject({ code: 'auth.not_configured' });
		await expect(finish(open())).rejects.toMatchObject({ code: 'auth.not_configured' });
	});

	it('limits the attempts of one address, and not those of others', async () => {
		const auth = open(withGoogle, providerOf());
		const begin = (address: string) =>
			auth.begin({ origin: 'http://127.0.0.1:3000', returnTo: null, address });
		for (let i = 0; i < 60; i++) await begin('192.0.2.1');
		await expect(begin('192.0.2.1')).rejects.toMatchObject({
			code: 'request.too_many',
			headers: { 'retry-after': '1' }
		});
		await begin('192.0.2.2');
		pass(1000);
		await begin('192.0.2.1');
	});
});

describe('signing in where the provider itself keeps the users', () => {
	const open = (...people: Person[]) =>
		openAuth(withSupabase, { ...providerOf(...people), keepsUsers: true });
	const openAuth = (env: Record<string, string>, identity: Identity) =>
		createAuth({ db: platform.db, config: readConfig(env), identity, log: silentLog, now: () => clock });

	it('makes the row of auth.users the person, and writes to neither of its tables', async () => {
		const id = await platform.addUser('ada@elsewhere.example');
		const { session } = await finish(open({ ...ada, subject: id }));
		expect(session).toMatchObject({
			userId: id,
			email: 'ada@elsewhere.example',
			isLocal: false,
			isAdmin: false
		});
		expect((await platform.db.query('select from auth.identities')).rowCount).toBe(0);
	});

	it('refuses a person whom the database does not know', async () => {
		const stranger = open({ ...ada, subject: '11111111-1111-4111-8111-111111111111' });
		await expect(finish(stranger)).rejects.toMatchObject({ code: 'auth.refused' });
		expect((await platform.db.query('select from auth.users')).rowCount).toBe(0);
	});

	it('ends the sessions of a user who is deleted there', async () => {
		const id = await platform.addUser();
		const auth = open({ ...ada, subject: id });
		const { token } = await finish(auth);
		await platform.db.query('delete from auth.users where id = $1::uuid', [id]);
		expect(await auth.find(token)).toBeUndefined();
	});

	it('is the only way in, also on this machine and beside a Google client', async () => {
		const auth = openAuth({ ...withSupabase, ...withGoogle }, providerOf());
		expect(auth).toMatchObject({ isLocalOpen: false, providerName: 'Google' });
		await expect(auth.signInLocally('ada@localhost', '')).rejects.toMatchObject({
			code: 'auth.not_configured'
		});
	});
});

describe('an allow-list', () => {
	const invited = { ...withGoogle, ALLOWED_EMAILS: 'Ada@Example.org, @friends.example' };

	it('lets in who is on it, by address or by domain, and nobody else', async () => {
		const eve = { subject: '3', email: 'eve@notfriends.example', name: 'Eve' };
		const friend = { subject: '4', email: 'cy@friends.example', name: 'Cy' };
		const auth = open(invited, providerOf(ada, friend, bob, eve));
		expect((await finish(auth)).session.email).toBe('ada@example.org');
		expect((await finish(auth)).session.email).toBe('cy@friends.example');
		await expect(finish(auth)).rejects.toMatchObject({ code: 'auth.not_invited' });
		await expect(finish(auth)).rejects.toMatchObject({ code: 'auth.not_invited' });
		expect((await platform.db.query('select from auth.users')).rowCount).toBe(2);
	});

	it('is not needed', async () => {
		expect((await finish(open(withGoogle, providerOf(bob)))).session.email).toBe('bob@example.org');
	});
});
