// Several processes on one real Postgres, as an operator runs them: any number that serve the web, any that work, one
// folder for the files. People in it upload and watch through whichever web process answers.
import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestOf, type FilesState, merge, noFiles, type StreamMessage } from '#lib/shared/events.ts';
import type { StoredFile } from '#lib/shared/files.ts';
import { silentLog } from '#lib/server/log.ts';
import { PgDb } from '#lib/server/platform/supabase/pg-db.ts';
import { multipartBody, multipartType } from './multipart.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { removeFolder } from './remove-folder.ts';
import { signIn, startServer, type TestServer } from './server.ts';
import { openSse, type SseClient } from './sse.ts';

export type Role = 'all' | 'web' | 'worker';
export type Member = {
	role: Role;
	server: TestServer;
	/** Everything that it and its predecessors printed. */
	output(): string;
	/** kill -9, and a new one in its place. */
	crash(): Promise<void>;
	/** As a deployment does it: a new one first, then the old one is asked to end. Its exit code. */
	replace(): Promise<number | null>;
};
export type Fleet = Awaited<ReturnType<typeof startFleet>>;

export async function startFleet(bin: string, roles: readonly Role[], env: Record<string, string> = {}) {
	const folder = await mkdtemp(path.join(tmpdir(), 'asura-fleet-'));
	const postgres: PostgresServer = await startPostgres(bin);
	const all = {
		DATA_DIR: path.join(folder, 'data'),
		DATABASE_URL: postgres.url,
		LOG_LEVEL: 'info',
		HEARTBEAT_SECONDS: '2',
		...env
	};
	const db = new PgDb({ url: postgres.url, log: silentLog, connections: 2 });
	const members = await Promise.all(roles.map((role) => startMember({ ...all, ROLE: role })));
	const webs = () => members.filter(({ role }) => role !== 'worker').map(({ server }) => server.url);

	return {
		postgres,
		db,
		members,
		dataDir: all.DATA_DIR,
		output: () => members.map((member) => member.output()).join(''),

		async enter(email = `${randomUUID()}@localhost`) {
			const cookie = await signIn({ url: webs()[0] ?? '' }, email);
			return {
				cookie,
				/** At whichever web process answers first; a process that is gone, or going, is not asked twice. */
				async ask(where: string, options: RequestInit = {}): Promise<Response> {
					for (const url of shuffled(webs())) {
						const headers = { cookie, origin: url, ...Object.fromEntries(new Headers(options.headers)) };
						const answer = await fetch(url + where, { ...options, headers }).catch(() => undefined);
						if (answer && answer.status < 500) return answer;
					}
					throw new Error('no web process answers');
				},
				/** undefined: it was not acknowledged, which is allowed while processes die. */
				async upload(filename: string, content: string | Buffer): Promise<StoredFile | undefined> {
					const body = new Uint8Array(multipartBody([{ filename, content }]));
					const answer = await this.ask('/api/files/upload', {
						method: 'POST',
						headers: { 'content-type': multipartType },
						body
					}).catch(() => undefined);
					if (answer?.status !== 201) return undefined;
					const { files } = (await answer.json()) as { files: StoredFile[] };
					return files[0];
				},
				watch: () => watch(webs, cookie),
				async list(): Promise<StoredFile[]> {
					const { files } = (await (await this.ask('/api/files?limit=500')).json()) as {
						files: StoredFile[];
					};
					return files;
				}
			};
		},

		async close(): Promise<void> {
			await Promise.all(members.map(({ server }) => server.kill()));
			await db.close();
			await postgres.close();
			await removeFolder(folder);
		}
	};
}

async function startMember(env: Record<string, string>): Promise<Member> {
	let before = '';
	const member: Member = {
		role: env.ROLE as Role,
		server: await startServer(env),
		output: () => before + member.server.output(),
		async crash() {
			await member.server.kill();
			before = member.output();
			member.server = await startServer(env);
		},
		async replace() {
			const old = member.server;
			member.server = await startServer(env);
			const code = await old.stop();
			before += old.output();
			return code;
		}
	};
	return member;
}

export type Watch = {
	state(): FilesState;
	digest(): string;
	/** How often it had to connect. */
	connections(): number;
	byes: string[];
	close(): void;
};

/** A browser with one page open: whatever ends its connection, it goes on from its last id, at any web process. */
function watch(webs: () => string[], cookie: string): Watch {
	let state = noFiles;
	let client: SseClient | undefined;
	let lastEventId: string | undefined;
	let connections = 0;
	let isClosed = false;
	const byes: string[] = [];

	const again = () => {
		if (!isClosed) setTimeout(() => void connect(), 100);
	};
	async function connect(): Promise<void> {
		const [url = ''] = shuffled(webs());
		connections++;
		const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
		client = await openSse(`${url}/api/files/events`, {
			cookie,
			headers,
			isKept: false,
			onFrame: ({ id, data }) => {
				const message = data as StreamMessage;
				state = merge(state, message);
				lastEventId = id ?? lastEventId;
				if (message.eventType === 'bye') byes.push(message.reason);
				if (message.eventType === 'reset') lastEventId = undefined;
			},
			onEnd: again
		}).catch(() => void again());
		if (isClosed) client?.close();
	}

	void connect();
	return {
		state: () => state,
		digest: () => digestOf(state.byId.values()),
		connections: () => connections,
		byes,
		close() {
			isClosed = true;
			client?.close();
		}
	};
}

function shuffled<T>(all: readonly T[]): T[] {
	return all
		.map((one) => ({ one, at: Math.random() }))
		.toSorted((a, b) => a.at - b.at)
		.map(({ one }) => one);
}
