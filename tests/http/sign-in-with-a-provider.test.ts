import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type Browser, openBrowser } from '../support/browser.ts';
import {
	type Claims,
	clientId,
	clientSecret,
	type OidcProvider,
	startOidcProvider
} from '../support/oidc-provider.ts';
import { startServer, type TestServer } from '../support/server.ts';

const ada = { sub: 'subject-1', email: 'ada@example.org', email_verified: true, name: 'Ada' };

let provider: OidcProvider;
let server: TestServer;
let browser: Browser;
beforeAll(async () => {
	provider = await startOidcProvider();
	server = await startServer(withProvider(provider.issuer));
});
afterAll(async () => {
	await server.dispose();
	await provider.stop();
});
beforeEach(() => {
	browser = openBrowser(server.url);
	provider.claims = ada;
});

function withProvider(issuer: string): Record<string, string> {
	return { GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret, OIDC_ISSUER: issuer };
}

/** The browser goes to the provider and comes back with the callback's path. */
async function arrive(next = '/'): Promise<URL> {
	const begun = await browser.ask(`/auth/google?next=${encodeURIComponent(next)}`);
	expect(begun.status).toBe(302);
	const callback = await provider.visit(new URL(begun.location));
	expect(callback.origin).toBe(server.url);
	return callback;
}

function come(callback: URL): Promise<Answer> {
	return browser.ask(callback.pathname + callback.search);
}

async function expectRefusal(answer: Answer, code: string, sentence: string): Promise<void> {
	expect([answer.status, answer.location]).toEqual([303, `/sign-in?error=${code}`]);
	expect(browser.cookies.has('asura_session')).toBe(false);
	const page = await browser.ask(answer.location);
	expect(page.text).toContain(sentence);
	expect(page.text).not.toMatch(/Error:|\.ts:|at file:/);
}

describe('signing in with a provider', () => {
	it('brings the person back, signed in, to where they wanted to go', async () => {
		const answer = await come(await arrive('/files?a=1'));
		expect([answer.status, answer.location]).toEqual([303, '/files?a=1']);
		expect([...browser.cookies.keys()]).toEqual(['asura_session']);
		expect((await browser.ask('/api/files')).status).toBe(200);
	});

	it('keeps what is pending out of reach of scripts and of the rest of the site', async () => {
		const { cookies } = await browser.ask('/auth/google');
		expect(cookies).toHaveLength(1);
		expect(cookies[0]).toMatch(/^asura_sign_in=[\w-]+; Max-Age=600; Path=\/auth; HttpOnly; SameSite=Lax$/);
	});

	it('offers the provider by its name, and nothing else', async () => {
		const page = await browser.ask('/sign-in?next=%2Ffiles');
		expect(page.text).toMatch(/Continue with\s+localhost/);
		expect(page.text).toContain('/auth/google?next=%2Ffiles');
		expect(page.text).not.toContain('Continue on this machine');
		const local = await browser.post('/auth/local', '{"email":"ada@localhost"}', {
			'content-type': 'application/json'
		});
		expect([local.status, local.json().code]).toEqual([404, 'auth.not_configured']);
	});

	it('refuses a callback with another state', async () => {
		const callback = await arrive();
		callback.searchParams.set('state', 'x'.repeat(43));
		await expectRefusal(await come(callback), 'auth.state_mismatch', 'could not be matched to this browser');
	});

	it('refuses a callback in a browser that did not begin it', async () => {
		const callback = await arrive();
		browser = openBrowser(server.url);
		await expectRefusal(await come(callback), 'auth.state_mismatch', 'could not be matched to this browser');
	});

	it('refuses a callback that was used before', async () => {
		const callback = await arrive();
		const pending = browser.cookies.get('asura_sign_in');
		await come(callback);
		browser.cookies.delete('asura_session');
		await expectRefusal(await come(callback), 'auth.state_mismatch', 'could not be matched to this browser');
		if (!pending) throw new Error('there was no cookie to keep');
		browser.cookies.set('asura_sign_in', pending);
		await expectRefusal(await come(callback), 'auth.refused', 'The sign-in was refused.');
		expect(browser.cookies.has('asura_sign_in')).toBe(false);
	});

	const wrongTokens: [string, (claims: Claims) => void][] = [
		['nonce', (claims) => (claims.nonce = 'y'.repeat(43))],
		['audience', (claims) => (claims.aud = 'another-client')],
		['end in the past', (claims) => (claims.exp = Math.floor(Date.now() / 1000) - 3600)]
	];
	for (const [what, change] of wrongTokens) {
		it(`refuses an ID token with a wrong ${what}`, async () => {
			const callback = await arrive();
			provider.spoilToken(change);
			await expectRefusal(await come(callback), 'auth.refused', 'The sign-in was refused.');
		});
	}

	it('refuses an ID token that another key has signed', async () => {
		const callback = await arrive();
		await provider.forgeSignature();
		await expectRefusal(await come(callback), 'auth.refused', 'The sign-in was refused.');
	});

	it('refuses an address that is not verified', async () => {
		provider.claims = { ...ada, email_verified: false };
		await expectRefusal(await come(await arrive()), 'auth.email_unverified', 'has not confirmed');
	});

	it('refuses an address that another account has', async () => {
		await come(await arrive());
		browser = openBrowser(server.url);
		provider.claims = { ...ada, sub: 'subject-2' };
		await expectRefusal(await come(await arrive()), 'auth.address_taken', 'Another account already has');
	});

	it('shows the operator’s page to operators only', async () => {
		await come(await arrive());
		expect((await browser.ask('/admin')).status).toBe(404);
		const refused = await browser.post('/admin?/mend', '', {
			'content-type': 'application/x-www-form-urlencoded'
		});
		expect(refused.text).not.toContain('mend:');
		expect(refused.text).toContain('There is nothing at this address.');
	});

	it('shows no sentence for a code that is not one of ours', async () => {
		const page = await browser.ask('/sign-in?error=%3Cscript%3Ealert(1)%3C/script%3E');
		expect(page.status).toBe(200);
		expect(page.text).not.toContain('alert(1)');
	});
});

describe('a provider that is down', () => {
	let lonely: TestServer | undefined;
	afterEach(() => lonely?.dispose());

	it('does not keep the server from starting, and is told to the person', async () => {
		const gone = await startOidcProvider();
		await gone.stop();
		lonely = await startServer(withProvider(gone.issuer));
		browser = openBrowser(lonely.url);
		const answer = await browser.ask('/auth/google');
		await expectRefusal(answer, 'auth.provider_unreachable', 'cannot be reached');
		expect((await browser.ask('/readyz')).status).toBe(200);
	});
});

describe('behind a proxy that speaks TLS', () => {
	let behind: TestServer;
	const host = { host: 'files.example.org' };
	beforeAll(async () => {
		behind = await startServer({ ...withProvider(provider.issuer), ORIGIN: 'https://files.example.org' });
	});
	afterAll(() => behind.dispose());
	beforeEach(() => void (browser = openBrowser(behind.url)));

	it('answers for the public name, and for its own only when asked for its health', async () => {
		expect((await browser.ask('/sign-in', { headers: host })).status).toBe(200);
		expect((await browser.ask('/sign-in')).status).toBe(421);
		for (const path of ['/healthz', '/readyz', '/metrics'])
			expect((await browser.ask(path)).status).toBe(200);
		expect((await browser.ask('/metrics', { headers: host })).status).toBe(404);
	});

	it('comes back to the public name, with cookies for TLS only', async () => {
		const begun = await browser.ask('/auth/google', { headers: host });
		expect(begun.cookies[0]).toMatch(/; Secure/);
		const callback = await provider.visit(new URL(begun.location));
		expect(callback.origin + callback.pathname).toBe('https://files.example.org/auth/callback');
		const answer = await browser.ask(callback.pathname + callback.search, { headers: host });
		expect([answer.status, answer.location]).toEqual([303, '/']);
		const session = answer.cookies.find((line) => line.startsWith('asura_session='));
		expect(session).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
	});

	it('takes writes from the public page only', async () => {
		const post = (origin: string) =>
			browser.ask('/auth/sign-out', { method: 'POST', headers: { ...host, origin } });
		expect((await post('https://files.example.org')).status).toBe(204);
		expect((await post('http://files.example.org')).status).toBe(403);
		expect((await post(behind.url)).status).toBe(403);
	});
});
