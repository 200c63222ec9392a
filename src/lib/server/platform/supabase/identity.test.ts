import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityContract } from '../../../../../tests/contract/identity.ts';
import { type AuthDouble, startAuthDouble } from '../../../../../tests/support/supabase-auth-double.ts';
import { startSupabaseAuth, type SupabaseAuth } from '../../../../../tests/support/supabase-auth.ts';
import type { Identity } from '../platform.ts';
import { createSupabaseIdentity } from './identity.ts';

identityContract('Supabase Auth, as @supabase/lite serves it', async () => {
	const auth = await startSupabaseAuth();
	let passed = 0;
	let isUp = true;
	const stop = async () => {
		if (isUp) await auth.stop();
		isUp = false;
	};
	return {
		identity: createSupabaseIdentity(auth.project, { now: () => Date.now() + passed }),
		visit: auth.visit,
		become: (person) => void (auth.person = person),
		subject: async () => (await auth.userIds())[0] ?? '',
		goDown: stop,
		pass: (ms) => void (passed += ms),
		close: stop
	};
});

describe('signing in through a Supabase project', () => {
	const redirectUri = new URL('http://127.0.0.1:3000/auth/callback');
	let auth: SupabaseAuth;
	let identity: Identity;
	beforeEach(async () => {
		auth = await startSupabaseAuth();
		identity = createSupabaseIdentity(auth.project);
	});
	afterEach(() => auth.stop());

	async function signIn(change: (callback: URL) => void = () => undefined) {
		const { url, pending } = await identity.begin({ redirectUri, returnTo: '/' });
		const callback = await auth.visit(url);
		change(callback);
		return identity.finish({ callback, redirectUri, pending });
	}

	it('asks the project for Google, with PKCE (S256)', async () => {
		const { url } = await identity.begin({ redirectUri, returnTo: '/' });
		expect(url.origin).toBe(auth.project.url);
		expect(Object.fromEntries(url.searchParams)).toMatchObject({
			provider: 'google',
			redirect_to: redirectUri.href,
			code_challenge_method: 's256'
		});
	});

	it('keeps its secret in a cookie that a browser takes', async () => {
		const { pending } = await identity.begin({ redirectUri, returnTo: '/' });
		expect(pending.length).toBeLessThan(3000);
	});

	it('knows a person by the id of the row in auth.users, however often that person comes', async () => {
		const [one, two] = [await signIn(), await signIn()];
		expect(await auth.userIds()).toEqual([one.person.subject]);
		expect(two.person).toEqual(one.person);
	});

	it('leaves no session behind in the project: ours is the only one', async () => {
		await signIn();
		expect(await auth.openSessions()).toBe(0);
	});

	it('takes a "no" of the person at Google as a refusal', async () => {
		const refused = signIn(({ searchParams }) => {
			searchParams.delete('code');
			searchParams.set('error', 'access_denied');
		});
		await expect(refused).rejects.toMatchObject({ code: 'auth.refused' });
	});

	it('refuses a code that nobody gave out', async () => {
		const made = signIn(({ searchParams }) => searchParams.set('code', crypto.randomUUID()));
		await expect(made).rejects.toMatchObject({ code: 'auth.refused' });
	});

	it.each([
		['Google is off', { hasGoogle: false }],
		['addresses are not confirmed, so that anybody could take an operator’s', { confirms: false }]
	])('says that it is not configured, before anybody is sent there, while %s', async (_, options) => {
		const without = await startSupabaseAuth(options);
		const begun = createSupabaseIdentity(without.project).begin({ redirectUri, returnTo: '/' });
		await expect(begun).rejects.toMatchObject({ code: 'auth.not_configured' });
		await without.stop();
	});
});

describe('what a project answers (against a double with a key pair)', () => {
	const redirectUri = new URL('http://127.0.0.1:3000/auth/callback');
	let auth: AuthDouble;
	beforeEach(async () => void (auth = await startAuthDouble()));
	afterEach(() => auth.stop());

	async function signIn(answer = 'code=a-code') {
		const identity = createSupabaseIdentity(auth.project);
		const { pending } = await identity.begin({ redirectUri, returnTo: '/' });
		return identity.finish({ callback: new URL(`${redirectUri.href}?${answer}`), redirectUri, pending });
	}

	it('is believed when its key has signed it, and the name is Google’s, not what people write themselves', async () => {
		const { person } = await signIn();
		expect(person).toEqual({ subject: auth.user.id, email: 'ada@example.org', name: 'Ada' });
	});

	const wrong: [string, string, () => unknown][] = [
		['a token that another key has signed', 'auth.refused', () => (auth.isForged = true)],
		['a token of another user', 'auth.refused', () => (auth.claims.sub = crypto.randomUUID())],
		['a token of no user', 'auth.refused', () => (auth.claims.role = 'service_role')],
		['a token that has expired', 'auth.refused', () => (auth.claims.exp = 1)],
		['an address that Google has not verified', 'auth.email_unverified', () => verified(false)],
		['an address that is "verified" with a text', 'auth.email_unverified', () => verified('true')],
		['a user without Google', 'auth.email_unverified', () => (auth.user.identities = [])],
		['an unconfirmed user', 'auth.email_unverified', () => (auth.user.email_confirmed_at = null)],
		['a project that fails', 'auth.provider_unreachable', () => (auth.status = 503)],
		['a project that refuses', 'auth.refused', () => (auth.status = 422)]
	];
	const verified = (email_verified: unknown) =>
		(auth.user.identities = [{ provider: 'google', identity_data: { email_verified, full_name: 'Ada' } }]);
	for (const [what, code, change] of wrong) {
		it(`${what}: ${code}`, async () => {
			change();
			await expect(signIn()).rejects.toMatchObject({ code });
		});
	}

	it('names an address that the project wants confirmed first', async () => {
		const answer = 'error=access_denied&error_code=provider_email_needs_verification';
		await expect(signIn(answer)).rejects.toMatchObject({ code: 'auth.email_unverified' });
	});
});
