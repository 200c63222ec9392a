// LISTEN on a connection of its own, which comes back by itself. What was sent while it was away is lost, so after a
// reconnect every listener is called with an empty payload: something may have happened.
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Stop } from '../platform.ts';

const beatMs = 30_000;
const answerMs = 10_000;
const firstPauseMs = 250;
const longestPauseMs = 10_000;

export class PgListener {
	readonly #url: string;
	readonly #log: Log;
	readonly #listeners = new Map<string, Set<(payload: string) => void>>();
	readonly #closing = new AbortController();
	#client: Client | undefined;
	#first: Promise<void> | undefined;

	constructor(url: string, log: Log) {
		this.#url = url;
		this.#log = log;
	}

	async listen(channel: string, onNotify: (payload: string) => void): Promise<Stop> {
		this.#first ??= this.#connect();
		await this.#first;
		const listeners = this.#listeners.get(channel) ?? new Set();
		this.#listeners.set(channel, listeners);
		// A wrapper of its own: the same function may listen twice.
		const listener = (payload: string) => onNotify(payload);
		listeners.add(listener);
		// Away at this moment: the reconnect listens for it, and calls it.
		await this.#client?.query(`listen ${quoteName(channel)}`);
		return async () => {
			if (!listeners.delete(listener) || listeners.size > 0) return;
			await this.#client?.query(`unlisten ${quoteName(channel)}`);
			// Somebody may have begun to listen in the meantime.
			if (listeners.size > 0) await this.#client?.query(`listen ${quoteName(channel)}`);
		};
	}

	async close(): Promise<void> {
		this.#closing.abort();
		const client = this.#client;
		this.#client = undefined;
		await client?.end();
	}

	async #connect(): Promise<void> {
		const client = new Client({
			connectionString: this.#url,
			keepAlive: true,
			query_timeout: answerMs,
			connectionTimeoutMillis: answerMs,
			application_name: 'asura listener'
		});
		client.on('notification', ({ channel, payload = '' }) => this.#tell(channel, payload));
		client.on('error', (error) => this.#lose(client, error));
		client.on('end', () => this.#lose(client, new Error('the connection was closed')));
		await client.connect();
		this.#client = client;
		for (const channel of this.#listeners.keys()) await client.query(`listen ${quoteName(channel)}`);
		this.#beat(client);
	}

	/** A connection can be dead for hours without anybody noticing; a question shows it. */
	#beat(client: Client): void {
		const timer = setInterval(() => {
			if (this.#client !== client) return clearInterval(timer);
			client.query('select 1').catch((error: unknown) => this.#lose(client, error));
		}, beatMs).unref();
	}

	#lose(client: Client, error: unknown): void {
		if (this.#client !== client) return;
		this.#client = undefined;
		this.#log.warn({ error: messageOf(error) }, 'the connection for notifications broke');
		client
			.end()
			.catch((cause: unknown) => this.#log.debug({ error: messageOf(cause) }, 'it could not be closed'));
		void this.#reconnect();
	}

	async #reconnect(): Promise<void> {
		const { signal } = this.#closing;
		for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
			await delay(pauseMs * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(
				() => undefined
			);
			if (signal.aborted) return;
			try {
				await this.#connect();
				for (const channel of this.#listeners.keys()) this.#tell(channel, '');
				return;
			} catch (error) {
				this.#log.warn({ error: messageOf(error) }, 'no connection for notifications yet');
			}
		}
	}

	#tell(channel: string, payload: string): void {
		for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
	}
}

function quoteName(name: string): string {
	return `"${name.replaceAll('"', '""')}"`;
}
