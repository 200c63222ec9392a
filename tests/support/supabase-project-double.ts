// A double of what a Supabase project shows from outside: its settings, buckets and clock, each to the right key.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ProjectDouble = Awaited<ReturnType<typeof startProjectDouble>>;

export async function startProjectDouble() {
	const keys = { publishableKey: 'sb_publishable_x', secretKey: 'sb_secret_x' };
	const double = {
		supabase: { url: '', ...keys },
		hasGoogle: true,
		autoconfirms: false,
		isPaused: false,
		clock: () => new Date(),
		buckets: [{ id: 'files', name: 'files', public: false, file_size_limit: null as number | null }],
		stop: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		}
	};
	const server = createServer((request, response) => {
		response.setHeader('date', double.clock().toUTCString());
		const say = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
		const { apikey } = request.headers;
		if (double.isPaused) return void say(540, { message: 'Project paused' });
		if (apikey !== keys.publishableKey && apikey !== keys.secretKey)
			return void say(401, { message: 'Invalid API key' });
		if (request.url === '/auth/v1/health') return void say(200, { name: 'GoTrue' });
		if (request.url === '/auth/v1/settings')
			return void say(200, {
				external: { google: double.hasGoogle },
				mailer_autoconfirm: double.autoconfirms
			});
		// Row-level security shows no bucket to anybody else.
		if (request.url === '/storage/v1/bucket')
			return void say(200, apikey === keys.secretKey ? double.buckets : []);
		return void say(404, {});
	});
	await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
	double.supabase.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return double;
}
