// The live stream on a real database behind a real HTTP server, without the rest of the app: the raw route at its own
// address, the same stream through a web ReadableStream (as Kit's adapter pumps it) at /web and /status, one file at
// /follow/:id. With ?project= it is a project's.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAuth } from '#lib/server/auth/auth.ts';
import { readConfig } from '#lib/server/config.ts';
import { errorBody, toAppError } from '#lib/server/errors.ts';
import { createEvents } from '#lib/server/events/events.ts';
import { createChanges, type FileChanges } from '#lib/server/files/changes.ts';
import { ownScope } from '#lib/server/files/reach.ts';
import { silentLog } from '#lib/server/log.ts';
import { createMetrics } from '#lib/server/metrics.ts';
import type { Platform } from '#lib/server/platform/platform.ts';
import { reachProject } from '#lib/server/projects/access.ts';
import { openSse, type SseOptions } from './sse.ts';

export type Person = { cookie: string; userId: string; sessionId: string; token: string };
export type LiveServer = Awaited<ReturnType<typeof startLive>>;

export async function startLive(
	platform: Platform,
	env: Record<string, string> = {},
	wrap: (changes: FileChanges) => FileChanges = (changes) => changes
) {
	const { db } = platform;
	const config = readConfig({ HEARTBEAT_SECONDS: '30', ...env });
	const metrics = createMetrics();
	const auth = createAuth({ db, config, identity: undefined, log: silentLog });
	const changes = wrap(createChanges(platform));
	const events = createEvents({
		db,
		changes,
		changeFeed: platform.changes,
		auth,
		config,
		metrics,
		log: silentLog
	});
	await events.start();
	const server = createServer((request, response) => {
		if (events.handleRaw(request, response)) return;
		viaWeb(request, response).catch((error: unknown) => {
			const known = toAppError(error);
			response.writeHead(known.status, known.headers).end(JSON.stringify(errorBody(known, 'test')));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

	async function viaWeb(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const url = new URL(request.url ?? '/', origin);
		const session = auth.require(await auth.find(request.headers.cookie?.split('=')[1]));
		const cut = () => void request.socket.destroy();
		const [, kind, fileId = ''] = url.pathname.split('/');
		const project = url.searchParams.get('project');
		const scope =
			project === null ? ownScope(session.userId) : await reachProject(db, session.userId, project);
		if (kind === 'poll' || url.pathname === '/api/files/changes') {
			const controller = new AbortController();
			response.once('close', () => controller.abort());
			const cursor = url.searchParams.get('cursor') ?? undefined;
			const waitSeconds = Number(url.searchParams.get('wait') ?? 0);
			const answer = await events.poll({ session, scope, cursor, waitSeconds, signal: controller.signal });
			return void response.end(JSON.stringify(answer));
		}
		const stream =
			kind === 'follow'
				? await events.openFollow({ session, fileId }, cut)
				: events.openWeb({ session, scope, url, lastEventId: null, isStatus: kind === 'status' }, cut);
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		await pumpStream(stream, response);
	}

	return {
		origin,
		events,
		db,
		changes,
		auth,
		metrics,
		async signIn(email: string): Promise<Person> {
			const { token, session } = await auth.signInLocally(email, 'test');
			return { token, cookie: `asura_session=${token}`, userId: session.userId, sessionId: session.id };
		},
		connect: (person: Person, query = '', options: SseOptions = {}) =>
			openSse(`${origin}/api/files/events${query}`, { cookie: person.cookie, ...options }),
		open: (person: Person, path: string, options: SseOptions = {}) =>
			openSse(`${origin}${path}`, { cookie: person.cookie, ...options }),
		async close(): Promise<void> {
			await events.stop('shutdown');
			server.close();
			server.closeAllConnections();
		}
	};
}

/** As adapter-node does it: one chunk at a time, the next one when the response has room. */
export async function pumpStream(
	stream: ReadableStream<Uint8Array>,
	response: ServerResponse
): Promise<void> {
	const reader = stream.getReader();
	response.once('close', () => void reader.cancel().catch(() => undefined));
	for (;;) {
		const { done, value } = await reader.read();
		if (done) break;
		if (!response.write(value)) await new Promise((resolve) => response.once('drain', resolve));
	}
	response.end();
}
