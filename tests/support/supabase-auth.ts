// Supabase Auth over real HTTP: @supabase/lite, an independent implementation of the same API, with a database in
// memory. Behind it stands a double of Google's token and profile endpoints; everything else goes where it is sent.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { App, ConsoleEmailDriver } from '@supabase/lite';
import { createConnection } from '@supabase/lite/sqlite';

export type GooglePerson = { subject: string; email: string; isVerified: boolean; name: string };

export type SupabaseAuth = {
	project: { url: string; publishableKey: string; secretKey: string };
	/** Who signs in at Google; stays until changed. */
	person: GooglePerson;
	/** What a browser does: to the project, to Google, back to the project, and to the address that it names. */
	visit(url: URL): Promise<URL>;
	userIds(): Promise<string[]>;
	/** Sessions that the project would still refresh. */
	openSessions(): Promise<number>;
	stop(): Promise<void>;
};

const keys = { publishableKey: 'sb_publishable_of_the_test', secretKey: 'sb_secret_of_the_test' };

export async function startSupabaseAuth({ hasGoogle = true, confirms = true } = {}): Promise<SupabaseAuth> {
	const server = createServer();
	await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const connection = await createConnection({ url: ':memory:' });
	const drivers = { email: new ConsoleEmailDriver({ silent: true }) };
	const app = new App({ connection, auth: settings(url, { hasGoogle, confirms }), options: { drivers } });
	await app.ensureSystemSchema();
	server.on('request', (request, response) => {
		void (async () => {
			const body = await buffer(request);
			const { method = 'GET', headersDistinct } = request;
			const headers = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
				values.map((value): [string, string] => [name, value])
			);
			const asked = { method, headers, ...(body.length > 0 && { body: new Uint8Array(body) }) };
			const answer = await app.server.fetch(new Request(url + request.url, asked));
			response.writeHead(answer.status, Object.fromEntries(answer.headers));
			response.end(Buffer.from(await answer.arrayBuffer()));
		})().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
	});
	const idsOf = async (table: string) =>
		(await connection.kysely.selectFrom(table).select('id').execute()).map(({ id }: { id: unknown }) =>
			String(id)
		);
	const auth: SupabaseAuth = {
		project: { url, ...keys },
		person: { subject: 'subject-1', email: 'ada@example.org', isVerified: true, name: 'Ada' },
		visit,
		userIds: () => idsOf('auth.users'),
		openSessions: async () => (await idsOf('auth.sessions')).length,
		async stop() {
			stopGoogle();
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		}
	};
	const stopGoogle = standInForGoogle(() => auth.person);
	return auth;
}

function settings(url: string, { hasGoogle, confirms }: { hasGoogle: boolean; confirms: boolean }) {
	return {
		enabled: true,
		site_url: 'http://127.0.0.1:3000',
		jwt_secret: 'a-secret-of-the-test-that-is-long-enough',
		publishable_key: keys.publishableKey,
		secret_key: keys.secretKey,
		email: { enable_confirmations: confirms },
		external: {
			google: {
				enabled: hasGoogle,
				client_id: 'google-client',
				secret: 'google-secret',
				redirect_uri: `${url}/auth/v1/callback`
			}
		}
	};
}

async function visit(url: URL): Promise<URL> {
	const atGoogle = await follow(url);
	const callback = new URL(atGoogle.searchParams.get('redirect_uri') ?? '');
	callback.searchParams.set('code', 'a-code-of-google');
	callback.searchParams.set('state', atGoogle.searchParams.get('state') ?? '');
	return follow(callback);
}

async function follow(url: URL): Promise<URL> {
	const answer = await fetch(url, { redirect: 'manual' });
	const location = answer.headers.get('location');
	if (!location) throw new Error(`${url.pathname} answered ${answer.status}: ${await answer.text()}`);
	return new URL(location);
}

function standInForGoogle(who: () => GooglePerson): () => void {
	const original = globalThis.fetch;
	globalThis.fetch = async (input, init) => {
		const { hostname } = new URL(input instanceof Request ? input.url : input);
		if (hostname === 'oauth2.googleapis.com')
			return Response.json({ access_token: 'a-token-of-google', token_type: 'Bearer' });
		if (hostname !== 'www.googleapis.com') return original(input, init);
		const { subject, email, isVerified, name } = who();
		return Response.json({ id: subject, email, verified_email: isVerified, name });
	};
	return () => void (globalThis.fetch = original);
}
