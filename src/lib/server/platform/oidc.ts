// Identity by OpenID Connect: Google, or any other issuer. Authorization code flow with PKCE, state and nonce.
//
// What must come back with the callback (state, nonce, verifier) travels in a sealed cookie of the browser that began:
// a callback in another browser has none, and no process needs to remember anything. Discovery happens at the first
// sign-in, so that a provider that is down does not keep the server from starting.
import * as client from 'openid-client';
import * as v from 'valibot';
import { ConfigError, isLoopbackHost } from '../config.ts';
import { type AppError, problem } from '../errors.ts';
import { createPending } from './pending.ts';
import type { Identity, Person } from './platform.ts';

export type OidcOptions = { issuer: string; clientId: string; clientSecret: string; now?: () => number };

const providerTimeoutSeconds = 10;

const Pending = v.object({
	state: v.string(),
	nonce: v.string(),
	verifier: v.string(),
	returnTo: v.string()
});

const Claims = v.object({
	sub: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
	email: v.pipe(v.string(), v.trim(), v.toLowerCase(), v.maxLength(254), v.includes('@')),
	email_verified: v.optional(v.unknown()),
	name: v.optional(v.string())
});

export function createOidc({ issuer, clientId, clientSecret, now = Date.now }: OidcOptions): Identity {
	const server = issuerUrl(issuer);
	const pendings = createPending(clientSecret, Pending, now);
	let found: Promise<client.Configuration> | undefined;

	function provider(): Promise<client.Configuration> {
		found ??= discover(server, clientId, clientSecret).catch((error: unknown) => {
			found = undefined;
			throw unreachable(error);
		});
		return found;
	}

	return {
		async begin({ redirectUri, returnTo }) {
			const configuration = await provider();
			const [state, nonce, verifier] = [
				client.randomState(),
				client.randomNonce(),
				client.randomPKCECodeVerifier()
			];
			const url = client.buildAuthorizationUrl(configuration, {
				redirect_uri: redirectUri.href,
				scope: 'openid email profile',
				code_challenge: await client.calculatePKCECodeChallenge(verifier),
				code_challenge_method: 'S256',
				state,
				nonce
			});
			const pending = pendings.close({ state, nonce, verifier, returnTo });
			return { url, pending };
		},

		async finish({ callback, redirectUri, pending: sealed }) {
			const pending = pendings.open(sealed);
			if (callback.searchParams.get('state') !== pending.state) throw problem('auth.state_mismatch');
			const configuration = await provider();
			const answer = new URL(redirectUri);
			answer.search = callback.search;
			const tokens = await client
				.authorizationCodeGrant(configuration, answer, {
					expectedState: pending.state,
					expectedNonce: pending.nonce,
					pkceCodeVerifier: pending.verifier,
					idTokenExpected: true
				})
				.catch((error: unknown) => {
					throw isOutage(error) ? unreachable(error) : problem('auth.refused', { cause: error });
				});
			return { person: readPerson(tokens.claims()), returnTo: pending.returnTo };
		}
	};
}

function issuerUrl(issuer: string): URL {
	const url = new URL(issuer);
	if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))) return url;
	throw new ConfigError(
		`OIDC_ISSUER is ${JSON.stringify(issuer)}; allowed: an https URL (http on loopback only).`
	);
}

function discover(server: URL, clientId: string, clientSecret: string): Promise<client.Configuration> {
	// Without this the ID token's signature is not looked at: OpenID Connect leaves that to TLS alone.
	const execute = [client.enableNonRepudiationChecks];
	if (server.protocol === 'http:') execute.push(client.allowInsecureRequests);
	return client.discovery(server, clientId, clientSecret, authenticate(clientSecret), {
		execute,
		timeout: providerTimeoutSeconds
	});
}

/** In the body wherever that is taken: not every provider decodes the header as the standard asks. */
function authenticate(clientSecret: string): client.ClientAuth {
	const [post, basic] = [client.ClientSecretPost(clientSecret), client.ClientSecretBasic(clientSecret)];
	return (server, ...rest) => {
		const taken = server.token_endpoint_auth_methods_supported ?? [];
		const isBasicOnly = taken.includes('client_secret_basic') && !taken.includes('client_secret_post');
		return (isBasicOnly ? basic : post)(server, ...rest);
	};
}

function readPerson(claims: unknown): Person {
	const read = v.safeParse(Claims, claims);
	if (!read.success) throw problem('auth.refused', { cause: new v.ValiError(read.issues) });
	const { sub, email, email_verified, name } = read.output;
	if (email_verified !== true) throw problem('auth.email_unverified');
	return { subject: sub, email, name: name?.trim() || email };
}

function isOutage(error: unknown): boolean {
	if (error instanceof client.ClientError) {
		const isServerError = error.cause instanceof Response && error.cause.status >= 500;
		return error.code === 'OAUTH_TIMEOUT' || isServerError;
	}
	// fetch says "no connection" with a TypeError that has a cause.
	return error instanceof TypeError && error.cause !== undefined;
}

function unreachable(cause: unknown): AppError {
	return problem('auth.provider_unreachable', { cause });
}
