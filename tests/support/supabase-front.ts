// One address for the doubles of a Supabase project, as its gateway gives: Auth, Storage, and what the project shows of
// itself. There is no Realtime behind it, which is one of the things that Asura has to live with.
import { createServer, request as requestHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startAuthDouble } from './supabase-auth-double.ts';
import { startProjectDouble } from './supabase-project-double.ts';
import { startStorageDouble } from './supabase-storage-double.ts';

export type SupabaseFront = Awaited<ReturnType<typeof startSupabaseFront>>;

export async function startSupabaseFront() {
	const [auth, storage, project] = await Promise.all([
		startAuthDouble(),
		startStorageDouble(),
		startProjectDouble()
	]);
	storage.secretKey = project.supabase.secretKey;

	function behind(path: string): string {
		if (path === '/auth/v1/health' || path === '/auth/v1/settings' || path === '/storage/v1/bucket')
			return project.supabase.url;
		return path.startsWith('/storage/') ? storage.url : auth.project.url;
	}

	const server = createServer((request, response) => {
		const { method, headers, url = '/' } = request;
		const address = new URL(url, behind(url.split('?')[0] ?? ''));
		const onward = requestHttp(address, { method, headers, agent: false }, (answer) => {
			response.writeHead(answer.statusCode ?? 502, answer.headers);
			answer.pipe(response);
		});
		onward.on('error', (error) => response.destroy(error));
		response.on('close', () => onward.destroy());
		request.pipe(onward);
	});
	await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
	return {
		auth,
		storage,
		project,
		env: {
			SUPABASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
			SUPABASE_PUBLISHABLE_KEY: project.supabase.publishableKey,
			SUPABASE_SECRET_KEY: project.supabase.secretKey
		},
		async stop() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
			await Promise.all([auth.stop(), storage.stop(), project.stop()]);
		}
	};
}
