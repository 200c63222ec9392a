// A double of Supabase Auth for what @supabase/lite does not do: tokens signed with a key pair (ES256, the default of
// new projects), and answers that are wrong. It knows one code, one person and nothing of Google.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type AuthDouble = Awaited<ReturnType<typeof startAuthDouble>>;

export async function startAuthDouble() {
	const [own, foreign] = [makeKey(), makeKey()];
	const kid = randomUUID();
	const id = randomUUID();
	const double = {
		project: { url: '', publishableKey: 'sb_publishable_x', secretKey: 'sb_secret_x' },
		status: 200,
		isForged: false,
		claims: { sub: id, role: 'authenticated', exp: Math.floor(Date.now() / 1000) + 3600 } as Record<
			string,
			unknown
		>,
		user: {
			id,
			email: 'Ada@example.org',
			email_confirmed_at: '2026-01-01T00:00:00Z' as string | null,
			// Which everybody writes about themselves.
			user_metadata: { name: 'Mallory', email_verified: true },
			identities: [
				{ provider: 'google', identity_data: { email_verified: true as unknown, full_name: 'Ada' } }
			]
		},
		stop: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		}
	};
	const answers: Record<string, () => unknown> = {
		'/auth/v1/settings': () => ({ external: { google: true }, mailer_autoconfirm: false }),
		'/auth/v1/.well-known/jwks.json': () => ({
			keys: [
				{ ...own.publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig', key_ops: ['verify'] }
			]
		}),
		'/auth/v1/token': () => ({
			access_token: makeToken(kid, double.claims, (double.isForged ? foreign : own).privateKey),
			token_type: 'bearer',
			expires_in: 3600,
			refresh_token: 'r',
			user: double.user
		}),
		'/auth/v1/logout': () => ({})
	};
	const server = createServer((request, response) => {
		const { pathname } = new URL(request.url ?? '/', 'http://double');
		const status = pathname === '/auth/v1/token' ? double.status : 200;
		response.writeHead(status, { 'content-type': 'application/json' });
		response.end(JSON.stringify(status === 200 ? answers[pathname]?.() : { code: status, msg: 'no' }));
	});
	await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
	double.project.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return double;
}

function makeKey() {
	return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function makeToken(kid: string, claims: unknown, key: ReturnType<typeof makeKey>['privateKey']): string {
	const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const signed = `${part({ alg: 'ES256', typ: 'JWT', kid })}.${part(claims)}`;
	const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
	return `${signed}.${signature.toString('base64url')}`;
}
