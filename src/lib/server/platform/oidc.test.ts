import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityContract } from '../../../../tests/contract/identity.ts';
import {
	clientId,
	clientSecret,
	type OidcProvider,
	startOidcProvider
} from '../../../../tests/support/oidc-provider.ts';
import { createOidc } from './oidc.ts';
import type { Identity } from './platform.ts';

identityContract('OpenID Connect', async () => {
	const provider = await startOidcProvider();
	let passed = 0;
	let isUp = true;
	const stop = async () => {
		if (isUp) await provider.stop();
		isUp = false;
	};
	const now = () => Date.now() + passed;
	return {
		identity: createOidc({ issuer: provider.issuer, clientId, clientSecret, now }),
		visit: provider.visit,
		become: ({ subject, email, isVerified, name }) =>
			void (provider.claims = { sub: subject, email, email_verified: isVerified, name }),
		goDown: stop,
		pass: (ms) => void (passed += ms),
		close: stop
	};
});

describe('signing in by OpenID Connect', () => {
	const redirectUri = new URL('http://127.0.0.1:3000/auth/callback');
	let provider: OidcProvider;
	let identity: Identity;
	beforeEach(async () => {
		provider = await startOidcProvider();
		identity = createOidc({ issuer: provider.issuer, clientId, clientSecret });
	});
	afterEach(() => provider.stop());

	async function arrive(change: (callback: URL) => void = () => undefined) {
		const { url, pending } = await identity.begin({ redirectUri, returnTo: '/' });
		const callback = await provider.visit(url);
		change(callback);
		return { callback, redirectUri, pending };
	}

	it('asks with PKCE (S256), a state and a nonce', async () => {
		const { url } = await identity.begin({ redirectUri, returnTo: '/' });
		const asked = Object.fromEntries(url.searchParams);
		expect(asked).toMatchObject({
			client_id: clientId,
			code_challenge_method: 'S256',
			redirect_uri: redirectUri.href,
			response_type: 'code',
			scope: 'openid email profile'
		});
		for (const name of ['state', 'nonce', 'code_challenge']) expect(asked[name]).toMatch(/^[\w-]{43}$/);
	});

	it('never asks the provider for a token when the state was tampered with', async () => {
		const tampered = await arrive((callback) => callback.searchParams.set('state', 'x'.repeat(43)));
		await expect(identity.finish(tampered)).rejects.toMatchObject({ code: 'auth.state_mismatch' });
		const missing = await arrive((callback) => callback.searchParams.delete('state'));
		await expect(identity.finish(missing)).rejects.toMatchObject({ code: 'auth.state_mismatch' });
		expect(provider.tokensAsked()).toBe(0);
	});

	const wrongTokens: [string, (claims: Record<string, unknown>) => void][] = [
		['another nonce', (claims) => (claims.nonce = 'y'.repeat(43))],
		['no nonce', (claims) => delete claims.nonce],
		['another audience', (claims) => (claims.aud = 'another-client')],
		['another issuer', (claims) => (claims.iss = 'http://127.0.0.1:1')],
		['an end in the past', (claims) => (claims.exp = Math.floor(Date.now() / 1000) - 3600)],
		['no subject', (claims) => delete claims.sub],
		['no e-mail address', (claims) => delete claims.email]
	];
	for (const [what, change] of wrongTokens) {
		it(`refuses an ID token with ${what}`, async () => {
			const arrived = await arrive();
			provider.spoilToken(change);
			await expect(identity.finish(arrived)).rejects.toMatchObject({ code: 'auth.refused' });
			expect(provider.tokensAsked()).toBe(1);
		});
	}

	it('refuses an ID token that another key has signed', async () => {
		const arrived = await arrive();
		await provider.forgeSignature();
		await expect(identity.finish(arrived)).rejects.toMatchObject({ code: 'auth.refused' });
	});

	it('refuses an answer without an ID token', async () => {
		const arrived = await arrive();
		provider.spoilAnswer(({ body }) => {
			if (body) delete body.id_token;
		});
		await expect(identity.finish(arrived)).rejects.toMatchObject({ code: 'auth.refused' });
	});

	it('takes "verified" for nothing but true', async () => {
		for (const email_verified of [undefined, null, false, 'true', 1]) {
			const arrived = await arrive();
			provider.spoilToken((claims) => Object.assign(claims, { email_verified }));
			await expect(identity.finish(arrived)).rejects.toMatchObject({ code: 'auth.email_unverified' });
		}
	});

	it('takes a "no" of the person at the provider as a refusal', async () => {
		const refused = await arrive(({ searchParams }) => {
			searchParams.delete('code');
			searchParams.set('error', 'access_denied');
		});
		await expect(identity.finish(refused)).rejects.toMatchObject({ code: 'auth.refused' });
	});

	it('calls a provider that fails unreachable, not a refusal', async () => {
		const arrived = await arrive();
		provider.spoilAnswer((answer) => Object.assign(answer, { statusCode: 503, body: '' }));
		await expect(identity.finish(arrived)).rejects.toMatchObject({ code: 'auth.provider_unreachable' });
	});

	it('finds a provider that was down at the first try', async () => {
		const { port } = new URL(provider.issuer);
		await provider.stop();
		await expect(identity.begin({ redirectUri, returnTo: '/' })).rejects.toMatchObject({
			code: 'auth.provider_unreachable'
		});
		const later = await serveDiscovery(Number(port), provider.issuer);
		await expect(identity.begin({ redirectUri, returnTo: '/' })).resolves.toBeDefined();
		expect(later.asked()).toBe(1);
		await identity.begin({ redirectUri, returnTo: '/' });
		expect(later.asked()).toBe(1);
		await later.stop();
		provider = await startOidcProvider();
	});

	it('refuses an issuer without TLS anywhere but on this machine', () => {
		const open = (issuer: string) => () => createOidc({ issuer, clientId, clientSecret });
		expect(open('http://login.example.org')).toThrow(/OIDC_ISSUER .* https/);
		expect(open('ftp://127.0.0.1')).toThrow(/OIDC_ISSUER/);
		expect(open('https://login.example.org')).not.toThrow();
		expect(open('http://localhost:8080')).not.toThrow();
	});
});

async function serveDiscovery(port: number, issuer: string) {
	let asked = 0;
	const server = createServer((_request, response) => {
		asked++;
		response.setHeader('content-type', 'application/json');
		response.end(
			JSON.stringify({ issuer, authorization_endpoint: `${issuer}/authorize`, jwks_uri: `${issuer}/jwks` })
		);
	});
	await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
	expect((server.address() as AddressInfo).port).toBe(port);
	return {
		asked: () => asked,
		stop: () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve())))
	};
}
