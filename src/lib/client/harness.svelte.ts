// The harness page's state: a stream of its own (not the one that tabs share), every raw frame of it, and numbers.
import * as v from 'valibot';
import { digestOf, type FilesState, merge, noFiles, type StreamMessage } from '#lib/shared/events.ts';
import { Crashed, type HarnessAction } from '#lib/shared/harness.ts';
import { knownEvents } from '#lib/shared/named-events.ts';
import { connectionName } from './live.ts';
import { browserOutside, type Outside } from './outside.ts';
import { type Connection, Stream } from './stream.ts';
import { countTabs } from './tabs.ts';
import { type RawFrame, type Weather, WeatheredOutside } from './weather.ts';

const maxFrames = 1000;
const rateWindowMs = 1000;

export class Harness {
	#connection = $state.raw<Connection>({ state: 'closed', retryAt: null });
	#frames = $state.raw<readonly RawFrame[]>([]);
	#weather = $state<Weather>('fair');
	#files = $state.raw<FilesState>(noFiles);
	/** Now, for what is counted by the second. */
	now = $state(Date.now());
	isPaused = $state(false);
	filter = $state('');
	cursor = $state('');
	failure = $state('');
	said = $state('');
	digests = $state({ agreed: 0, disagreed: 0 });
	heartbeatAt = $state<number>();
	latencyMs = $state<number>();
	opened = $state(0);
	malformed = $state(0);
	/** Of this person, on the connection that tabs share; undefined where each tab has its own. */
	tabs = $state<number>();
	readonly shown = $derived(
		this.#frames.filter(({ event, data }) => `${event} ${data}`.includes(this.filter))
	);
	readonly framesPerSecond = $derived(this.#arrivals().filter((at) => at > this.now - rateWindowMs).length);
	readonly #user: string;
	readonly #outside: Outside | undefined;
	#net: WeatheredOutside | undefined;
	#stream: Stream | undefined;
	#times: number[] = [];

	constructor({ user, outside }: { user: string; outside?: Outside }) {
		this.#user = user;
		this.#outside = outside;
	}

	get connection(): Connection {
		return this.#connection;
	}

	get weather(): Weather {
		return this.#weather;
	}

	get fileCount(): number {
		return this.#files.byId.size;
	}

	/** From `cursor` when one is given; otherwise everything comes first. */
	connect(cursor?: string): void {
		this.disconnect();
		this.#net ??= new WeatheredOutside(this.#outside ?? browserOutside(), (frame) => this.#log(frame));
		if (!cursor) this.#files = noFiles;
		this.#stream = new Stream({
			user: this.#user,
			outside: this.#net,
			cursor: cursor || undefined,
			events: knownEvents,
			onMessage: (message, at) => this.#take(message, at),
			onConnection: (connection) => (this.#connection = connection)
		});
		this.#stream.start();
	}

	async count(): Promise<void> {
		const { locks } = this.#outside ?? browserOutside();
		if (locks) this.tabs = await countTabs(locks, connectionName(this.#user));
	}

	disconnect(): void {
		this.#stream?.close();
		this.#stream = undefined;
	}

	change(weather: Weather): void {
		this.#net?.change(weather);
		this.#weather = weather;
	}

	clear(): void {
		this.#frames = [];
	}

	/** The shown frames as they came over the wire. */
	text(): string {
		return this.shown.map(({ event, id, data }) => `event: ${event}\ndata: ${data}\nid: ${id}\n`).join('\n');
	}

	async act(action: HarnessAction): Promise<void> {
		this.failure = '';
		this.said = '';
		const headers = { 'content-type': 'application/json' };
		try {
			const answer = await fetch('/api/harness', { method: 'POST', headers, body: JSON.stringify(action) });
			if (!answer.ok) this.failure = `The server answered ${answer.status}.`;
			else if (action.do === 'crash')
				this.said = `A worker was ended; it was ${v.parse(Crashed, await answer.json()).worker}.`;
		} catch {
			this.failure = 'The server cannot be reached.';
		}
	}

	#take(message: StreamMessage, cursor: string | undefined): void {
		this.#files = merge(this.#files, message);
		this.cursor = cursor ?? '';
		this.opened = this.#stream?.opened ?? 0;
		this.malformed = this.#stream?.malformed ?? 0;
		if (message.eventType === 'file-update')
			this.latencyMs = Date.now() - Date.parse(message.file.updated_at);
		if (message.eventType === 'heartbeat') this.#judge(message.digest);
	}

	#judge(digest: string): void {
		this.heartbeatAt = Date.now();
		const isSame = digestOf(this.#files.byId.values()) === digest;
		this.digests[isSame ? 'agreed' : 'disagreed'] += 1;
		if (!isSame) this.#stream?.refetch();
	}

	#log(frame: RawFrame): void {
		this.#times = [...this.#times.filter((at) => at > frame.at - rateWindowMs), frame.at];
		if (this.isPaused) return;
		this.#frames = [frame, ...this.#frames].slice(0, maxFrames);
	}

	#arrivals(): readonly number[] {
		return this.#times;
	}
}
