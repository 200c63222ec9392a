// A scripted double of Supabase Realtime's protocol (vsn 2.0.0): frames `[join_ref, ref, topic, event, payload]` over
// a WebSocket that exists in this process only. It answers as the public sources do, and fails as it is told to.
import { randomUUID } from 'node:crypto';

export type Frame = [
	joinRef: string | null,
	ref: string | null,
	topic: string,
	event: string,
	payload: Payload
];
type Payload = Record<string, unknown>;

export type RealtimeDouble = ReturnType<typeof createRealtimeDouble>;

export function createRealtimeDouble() {
	const double = {
		connections: [] as Connection[],
		/** undefined: a join is answered; a text: refused with it; null: not answered at all. */
		refusal: undefined as string | null | undefined,
		/** Between SUBSCRIBED and the first change that is told; null: it never comes. */
		flowsAfterMs: 0 as number | null,
		answersHeartbeats: true,
		isDown: false,
		/** Those that are open. */
		open: () => double.connections.filter(({ readyState }) => readyState === 1),
		/** A committed change of a row; only channels whose changes flow hear of it. */
		change(type: 'INSERT' | 'UPDATE' | 'DELETE', row: Payload) {
			for (const connection of double.open()) connection.tell(type, row);
		},
		Socket: class extends Connection {
			constructor(address: string | URL) {
				super(new URL(address), () => double);
				double.connections.push(this);
			}
		}
	};
	return double;
}

type Script = {
	refusal: string | null | undefined;
	flowsAfterMs: number | null;
	answersHeartbeats: boolean;
	isDown: boolean;
};

class Connection extends EventTarget {
	readonly address: URL;
	readonly joins: Payload[] = [];
	readyState = 0;
	binaryType = 'arraybuffer';
	onopen: ((event: Event) => void) | null = null;
	onmessage: ((event: MessageEvent) => void) | null = null;
	onclose: ((event: CloseEvent) => void) | null = null;
	onerror: ((event: Event) => void) | null = null;
	readonly #script: () => Script;
	#channel: { topic: string; joinRef: string | null; ids: number[]; flows: boolean } | undefined;

	constructor(address: URL, script: () => Script) {
		super();
		this.address = address;
		this.#script = script;
		setTimeout(() => {
			if (this.readyState !== 0) return;
			if (script().isDown) return this.drop();
			this.readyState = 1;
			this.onopen?.(new Event('open'));
		});
	}

	send(text: string): void {
		const [joinRef, ref, topic, event, payload] = JSON.parse(text) as Frame;
		setTimeout(() => this.#answer([joinRef, ref, topic, event, payload]));
	}

	close(): void {
		this.readyState = 3;
		setTimeout(() => this.onclose?.(new CloseEvent('close', { code: 1000, wasClean: true })));
	}

	/** As when the network goes, or Realtime is deployed anew. */
	drop(): void {
		this.readyState = 3;
		this.onclose?.(new CloseEvent('close', { code: 1006, wasClean: false }));
	}

	/** The database's side is gone and the channel does not notice: known upstream, after hours. */
	fallSilent(): void {
		if (this.#channel) this.#channel.flows = false;
	}

	/** What the server says before it ends a channel, for one whose token has expired. */
	shutDown(message: string): void {
		this.#push('system', { extension: 'system', status: 'error', message, channel: 'asura-files' });
		this.#push('phx_close', {});
	}

	tell(type: string, row: Payload): void {
		const { ids = [], flows = false } = this.#channel ?? {};
		if (!flows) return;
		const data = {
			schema: 'public',
			table: 'files',
			type,
			commit_timestamp: new Date().toISOString(),
			errors: null,
			columns: Object.keys(row).map((name) => ({ name, type: 'text' })),
			...(type === 'DELETE' ? { old_record: row } : { record: row })
		};
		this.#push('postgres_changes', { ids, data });
	}

	#answer([joinRef, ref, topic, event, payload]: Frame): void {
		const { refusal, flowsAfterMs, answersHeartbeats } = this.#script();
		const reply = (status: string, response: Payload) =>
			this.#send([joinRef, ref, topic, 'phx_reply', { status, response }]);
		if (event === 'heartbeat') return void (answersHeartbeats && reply('ok', {}));
		if (event === 'phx_leave') return reply('ok', {});
		if (event !== 'phx_join' || refusal === null) return;
		this.joins.push(payload);
		if (refusal !== undefined) return reply('error', { reason: refusal });
		const { postgres_changes } = payload.config as { postgres_changes: Payload[] };
		const bindings = postgres_changes.map((binding, at) => ({ ...binding, id: 1000 + at }));
		this.#channel = { topic, joinRef, ids: bindings.map(({ id }) => id), flows: false };
		reply('ok', { postgres_changes: bindings });
		if (flowsAfterMs !== null) setTimeout(() => this.#flow(), flowsAfterMs);
	}

	#flow(): void {
		if (!this.#channel) return;
		this.#channel.flows = true;
		const message = 'Subscribed to PostgreSQL';
		this.#push('system', { extension: 'postgres_changes', status: 'ok', message, channel: 'asura-files' });
	}

	#push(event: string, payload: Payload): void {
		if (this.#channel) this.#send([this.#channel.joinRef, null, this.#channel.topic, event, payload]);
	}

	#send(frame: Frame): void {
		if (this.readyState === 1) this.onmessage?.(new MessageEvent('message', { data: JSON.stringify(frame) }));
	}
}

/** A row as the publication tells it. */
export function fileRow(userId: string): Payload {
	return { id: randomUUID(), user_id: userId, filename: 'a.txt' };
}
