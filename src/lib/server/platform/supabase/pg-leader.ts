// One process of all has the duties that must be done once. Whoever holds the database's advisory lock has them: the
// lock lives and dies with a connection of its own, so a process that is killed loses it at once, and one whose machine
// is gone as soon as the server notices. A process that has lost its connection ends its duties; until it notices, two
// may have them for some seconds, which every duty must bear.
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Stop } from '../platform.ts';

const lockNumber = 27_182_819;
const askMs = 2_000;
const answerMs = 5_000;

export type LeadershipOptions = { url: string; log: Log; begin(): Promise<Stop> };

export function createLeadership({ url, log, begin }: LeadershipOptions): Stop {
	const stopping = new AbortController();
	const { signal } = stopping;
	const pause = () => delay(askMs, undefined, { signal, ref: false }).catch(() => undefined);

	async function stand(): Promise<void> {
		while (!signal.aborted) {
			try {
				await standWith(connection(url));
			} catch (error) {
				log.warn({ error: messageOf(error) }, 'the connection that decides who has the duties of one broke');
				await pause();
			}
		}
	}

	async function standWith(client: Client): Promise<void> {
		// The next question finds out as well; this only keeps it from ending the process.
		client.on('error', () => undefined);
		try {
			await client.connect();
			await client.query(noticeSoonSql);
			while (!signal.aborted) {
				const { rows } = await client.query<{ is_mine: boolean }>(lockSql);
				if (rows[0]?.is_mine) await lead(client);
				else await pause();
			}
		} finally {
			await client.end().catch((error: unknown) => log.debug({ error: messageOf(error) }, 'it was gone'));
		}
	}

	async function lead(client: Client): Promise<void> {
		log.info('this process has the duties of one');
		const end = await begin();
		try {
			while (!signal.aborted) {
				await client.query('select 1');
				await pause();
			}
		} finally {
			await end();
		}
	}

	const ended = stand();
	return async () => {
		stopping.abort();
		await ended;
	};
}

function connection(url: string): Client {
	return new Client({
		connectionString: url,
		keepAlive: true,
		query_timeout: answerMs,
		connectionTimeoutMillis: answerMs,
		application_name: 'asura leader'
	});
}

const lockSql = `select pg_catalog.pg_try_advisory_lock(${lockNumber}) as is_mine`;

/** How long the server goes on believing in a machine that is gone: half a minute, not two hours. */
const noticeSoonSql = `
	set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4`;
