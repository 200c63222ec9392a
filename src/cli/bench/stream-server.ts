// The server's side of the benchmark, in a process of its own: `raw` is node:http and nothing else, `asura` is the
// custom server's route on an in-memory database, or on that of DATABASE_URL.
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAuth } from '#lib/server/auth/auth.ts';
import { readConfig } from '#lib/server/config.ts';
import { createEvents } from '#lib/server/events/events.ts';
import { createBell } from '#lib/server/files/bell.ts';
import { createChanges } from '#lib/server/files/changes.ts';
import { silentLog } from '#lib/server/log.ts';
import { createMetrics } from '#lib/server/metrics.ts';
import { openPgliteDb } from '#lib/server/platform/embedded/pglite-db.ts';
import { createListenFeed } from '#lib/server/platform/listen-feed.ts';
import { migrate } from '#lib/server/platform/migrate.ts';
import { PgDb } from '#lib/server/platform/supabase/pg-db.ts';
import { type Measured, type Order, type Prepared, sharedNow, type Written } from './protocol.ts';

type Served = {
	prepare(people: number): Promise<string[]>;
	broadcast(): Promise<void>;
	write(order: Extract<Order, { do: 'write' }>): Promise<Written>;
	listener: RequestListener;
};

const served = process.argv[2] === 'raw' ? serveRaw() : await serveAsura();
const server = createServer(served.listener);
server.listen({ port: 0, host: '0.0.0.0', backlog: 8192 });

process.on('message', (order: Order) => {
	void answer(order).then((result) => process.send?.(result ?? null));
});

async function answer(order: Order): Promise<unknown> {
	switch (order.do) {
		case 'prepare': {
			const cookies = await served.prepare(order.people);
			const { port } = server.address() as AddressInfo;
			return { url: `http://127.0.0.1:${port}/api/files/events`, cookies } satisfies Prepared;
		}
		case 'measure':
			return measure();
		case 'broadcast':
			for (let n = 0; n < order.times; n += 1) {
				await served.broadcast();
				await new Promise((resolve) => setTimeout(resolve, order.everyMs));
			}
			return undefined;
		case 'write':
			return served.write(order);
		default:
			throw new Error(`not for a server: ${order.do}`);
	}
}

async function measure(): Promise<Measured> {
	// Twice, with a pause: buffers are let go in the second one.
	for (let n = 0; n < 2; n += 1) {
		globalThis.gc?.();
		await new Promise((resolve) => setTimeout(resolve, 300));
	}
	const { heapUsed, external, rss } = process.memoryUsage();
	const { user, system } = process.cpuUsage();
	return {
		usedBytes: heapUsed + external,
		residentBytes: rss,
		cpuMs: (user + system) / 1000
	};
}

function frame(): string {
	const data = { eventType: 'system-alert', timestamp: new Date().toISOString(), data: { t: sharedNow() } };
	return `event: system-alert\ndata: ${JSON.stringify(data)}\n\n`;
}

function serveRaw(): Served {
	const open = new Set<ServerResponse>();
	return {
		prepare: async (people) => Array.from({ length: people }, () => 'none=1'),
		async broadcast() {
			const bytes = Buffer.from(frame());
			for (const response of open) response.write(bytes);
		},
		write: () => Promise.reject(new Error('node:http has no database')),
		listener(_, response) {
			open.add(response);
			response.on('close', () => open.delete(response));
			response.writeHead(200, {
				'content-type': 'text/event-stream',
				'cache-control': 'no-cache, no-transform'
			});
			response.write('event: connected\ndata: {}\n\n');
		}
	};
}

async function serveAsura(): Promise<Served> {
	const url = process.env.DATABASE_URL;
	const db = url ? new PgDb({ url, log: silentLog }) : await openPgliteDb();
	await migrate(db);
	const config = readConfig({});
	const auth = createAuth({ db, config, identity: undefined, log: silentLog });
	const changes = createChanges({ db, capabilities: { isExclusive: !url } });
	const bell = createBell({ db, log: silentLog });
	const events = createEvents({
		db,
		changes,
		changeFeed: createListenFeed(db),
		auth,
		config,
		metrics: createMetrics(),
		log: silentLog
	});
	await events.start();
	const people: string[] = [];

	async function prepare(count: number): Promise<string[]> {
		const cookies: string[] = [];
		for (let n = 0; n < count; n += 1) {
			const { token, session } = await auth.signInLocally(`bench${n}@localhost`, 'bench');
			people.push(session.userId);
			cookies.push(`asura_session=${token}`);
		}
		return cookies;
	}

	/** As the pipeline writes: a tick per file, at most four a second, and the bell after the commit. */
	async function write({ person, writers, ms, withBell }: Extract<Order, { do: 'write' }>): Promise<Written> {
		const userId = people[person] ?? '';
		const { rows } = await db.query<{ id: string }>(
			`insert into public.files (user_id, blob_id, filename, file_type, size_bytes, sha256, status)
			 select $1, gen_random_uuid(), 'bench', 'text/plain', 10, repeat('a', 64), 'processing'
			 from generate_series(1, $2::int) returning id::text`,
			[userId, writers]
		);
		const commits: Written['commits'] = [];
		const startedAt = sharedNow();
		const tick = withBell ? 250 : 0;
		await Promise.all(
			rows.map(async ({ id }, n) => {
				await new Promise((resolve) => setTimeout(resolve, (tick / writers) * n));
				while (sharedNow() - startedAt < ms) {
					const beganAt = sharedNow();
					const { rows: written } = await db.query<{ rev: string }>(
						'update public.files set progress = least(99, progress + 0.01) where id = $1 returning rev::text',
						[id]
					);
					commits.push([`${id} ${written[0]?.rev}`, sharedNow()]);
					bell.ring(userId);
					await new Promise((resolve) => setTimeout(resolve, Math.max(0, tick - (sharedNow() - beganAt))));
				}
			})
		);
		await db.query('delete from public.files where user_id = $1', [userId]);
		return {
			writes: commits.length,
			perSecond: (commits.length / (sharedNow() - startedAt)) * 1000,
			commits
		};
	}

	return {
		prepare,
		write,
		broadcast: async () =>
			void (await events.send({ to: 'everybody', event: 'system-alert', data: { t: sharedNow() } })),
		listener: (request, response) => {
			if (!events.handleRaw(request, response)) response.writeHead(404).end();
		}
	};
}
