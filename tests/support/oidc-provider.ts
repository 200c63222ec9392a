// An OpenID Connect provider over real HTTP, with real signatures, that can be told to answer wrongly.
import { generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { Events, type MutableResponse, type MutableToken, OAuth2Server } from 'oauth2-mock-server';

export type Claims = Record<string, unknown>;
export type OidcProvider = {
	issuer: string;
	/** Claims of the person who signs in there; they stay until changed. */
	claims: Claims;
	/** Answers of the token endpoint so far. */
	tokensAsked(): number;
	/** What a browser does there: follows the address and comes back with the callback's. */
	visit(url: URL): Promise<URL>;
	/** Changes the next ID token's claims before it is signed. */
	spoilToken(change: (claims: Claims) => void): void;
	/** Changes the next answer of the token endpoint. */
	spoilAnswer(change: (answer: MutableResponse) => void): void;
	/** The next ID token is signed by somebody else's key, under the provider's key id. */
	forgeSignature(): Promise<void>;
	stop(): Promise<void>;
};

export const clientId = 'asura-test';
export const clientSecret = 'a-secret-of-the-test';

export async function startOidcProvider(): Promise<OidcProvider> {
	const server = new OAuth2Server();
	await server.issuer.keys.generate('RS256');
	await server.start(0, '127.0.0.1');
	const { service } = server;
	let asked = 0;
	let spoil: ((claims: Claims) => void) | undefined;
	const provider: OidcProvider = {
		issuer: server.issuer.url ?? '',
		claims: { sub: 'subject-1', email: 'ada@example.org', email_verified: true, name: 'Ada' },
		tokensAsked: () => asked,
		visit,
		spoilToken: (change) => void (spoil = change),
		spoilAnswer: (change) => void service.once(Events.BeforeResponse, change),
		async forgeSignature() {
			const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
			service.once(Events.BeforeResponse, ({ body }) => {
				if (body && 'id_token' in body) body.id_token = resign(String(body.id_token), privateKey);
			});
		},
		stop: () => server.stop()
	};
	service.on(Events.BeforeTokenSigning, ({ payload }: MutableToken) => {
		// The access token has a scope and is of no interest; the ID token has an audience.
		if (!('aud' in payload)) return;
		Object.assign(payload, provider.claims);
		spoil?.(payload);
		spoil = undefined;
	});
	service.on(Events.BeforeResponse, () => void asked++);
	return provider;
}

async function visit(url: URL): Promise<URL> {
	const answer = await fetch(url, { redirect: 'manual' });
	const location = answer.headers.get('location');
	if (!location) throw new Error(`the provider answered ${answer.status}: ${await answer.text()}`);
	return new URL(location);
}

function resign(token: string, key: KeyObject): string {
	const [header = '', payload = ''] = token.split('.');
	const signed = `${header}.${payload}`;
	return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}
