// One live stream of the files of one scope. It is registered before anything is read, and collects; then the past is sent
// (what changed since the cursor, or everything); then what was collected, and from there on the present. A write at
// any moment is thus either in the past that is read or in what is collected.
import { randomUUID } from 'node:crypto';
import type { ByeReason, NamedEvent, StreamMessage } from '#lib/shared/events.ts';
import type { Digest, FileChanges, Place } from '../files/changes.ts';
import type { Scope } from '../files/reach.ts';
import type { Metrics } from '../metrics.ts';
import type { FrameCounts } from './frame-counts.ts';
import { encodeMessage, frameOf, retryLine, toUpdate, type Untimed, type Update } from './frames.ts';
import type { Hub, Listener } from './hub.ts';
import { Outlet } from './outlet.ts';
import type { Sink } from './sink.ts';
import { type Visit, wants } from './visit.ts';
import { filesVoice, type Voice } from './voice.ts';

/** So that a slow reader is waited for often enough. */
const filesPerFrame = 100;
export const giveUpMs = 30_000;

export type Visitor = Visit & { session: { id: string; userId: string }; scope: Scope; voice?: Voice };

export type ConnectionDeps = {
	hub: Hub;
	changes: FileChanges;
	counts: FrameCounts;
	metrics: Pick<Metrics, 'resumes' | 'resets' | 'slowReaders'>;
	heartbeatSeconds: number;
};

export class Connection implements Listener {
	readonly kind = 'stream';
	readonly id = randomUUID();
	readonly userId: string;
	readonly scope: Scope;
	readonly sessionId: string;
	readonly client: string | undefined;
	readonly #deps: ConnectionDeps;
	readonly #events: Visit['events'];
	readonly #outlet: Outlet;
	readonly #voice: Voice;

	constructor(deps: ConnectionDeps, visitor: Visitor, sink: Sink) {
		this.userId = visitor.session.userId;
		this.scope = visitor.scope;
		this.sessionId = visitor.session.id;
		this.client = visitor.client;
		this.#events = visitor.events;
		this.#deps = deps;
		this.#voice = visitor.voice ?? filesVoice;
		this.#outlet = new Outlet({ sink, counts: deps.counts, owner: this });
	}

	get isClosed(): boolean {
		return this.#outlet.isClosed;
	}

	/** The reader has not kept up. */
	get isStalled(): boolean {
		return this.#outlet.stalledMs(Infinity) > 0;
	}

	/** Resolves when the present flows. */
	async start(cursor: string | undefined): Promise<void> {
		const { hub, heartbeatSeconds } = this.#deps;
		const isFollowed = hub.add(this);
		const eventType = 'connected';
		const hello = { eventType, connectionId: this.id, heartbeatSeconds, cursor: cursor ?? null } as const;
		this.#outlet.send(eventType, this.#voice.connected(hello), { isUrgent: true });
		await isFollowed;
		if (!this.#wants('snapshot')) return this.#outlet.release();
		if (cursor === undefined) return this.#sendSnapshot();
		const past = await this.#deps.changes.since(this.scope.id, cursor);
		if (past.kind === 'changes') {
			this.#deps.metrics.resumes.inc();
			this.#outlet.put(past.changes.map((change) => this.#voice.update(toUpdate(change))));
			return this.#outlet.release(past.cursor);
		}
		this.#deps.metrics.resets.inc();
		this.#send({ eventType: 'reset', reason: past.reason });
		await this.#sendSnapshot();
	}

	publish(updates: readonly Update[], cursor: string): void {
		if (this.#wants('file-update')) this.#outlet.put(updates.map(this.#voice.update), cursor);
	}

	/** Everything up to the cursor goes out first: the digest is of the state after it. */
	beat(digest: Digest, cursor: string): void {
		this.#outlet.put([], cursor);
		const body = encodeMessage({ eventType: 'heartbeat', cursor, ...digest });
		this.#outlet.flush({ isForced: true, last: { event: 'heartbeat', body } });
	}

	tell({ eventType }: NamedEvent, frame: Buffer): void {
		if (this.#wants(eventType)) this.#outlet.send(eventType, frame);
	}

	bye(reason: ByeReason): void {
		this.#outlet.flush({ isForced: true });
		const frame = frameOf({ eventType: 'bye', reason });
		const isReturning = reason === 'shutdown';
		this.#outlet.send('bye', isReturning ? Buffer.concat([retryLine(Math.random), frame]) : frame, {
			isUrgent: true
		});
		this.#outlet.end();
	}

	tend(now: number): void {
		if (this.#outlet.stalledMs(now) < giveUpMs) return;
		this.#deps.metrics.slowReaders.inc();
		this.#outlet.destroy();
	}

	onClosed(): void {
		this.#deps.hub.remove(this);
	}

	/** Something failed that the client cannot help: it comes back by itself. */
	cut(): void {
		this.#outlet.end();
	}

	#wants(event: string): boolean {
		return wants(this.#events, event);
	}

	async #sendSnapshot(): Promise<void> {
		const revs = new Map<string, number>();
		let position: string | undefined;
		let after: Place | undefined;
		do {
			const page = await this.#deps.changes.snapshot(this.scope.id, after, this.userId);
			// What happens while the pages are read reaches us as changes: the first page's position counts.
			if (position === undefined) await this.#sendProposals();
			position ??= page.cursor;
			after = page.next;
			for (const { id, rev } of page.files) revs.set(id, rev);
			for (let at = 0; at === 0 || at < page.files.length; at += filesPerFrame) {
				const files = page.files.slice(at, at + filesPerFrame);
				const isLast = after === undefined && at + filesPerFrame >= page.files.length;
				const frame = this.#voice.snapshot(files, isLast, isLast ? position : undefined);
				this.#outlet.send('snapshot', frame, { isUrgent: true });
				await this.#outlet.drained();
			}
		} while (after && !this.isClosed);
		this.#outlet.release(position, revs);
	}

	async #sendProposals(): Promise<void> {
		if (!this.#voice.proposals) return;
		const proposals = await this.#deps.changes.proposals(this.scope.id);
		if (proposals.length > 0)
			this.#outlet.send('snapshot', this.#voice.proposals(proposals), { isUrgent: true });
	}

	#send(message: Untimed<StreamMessage>): void {
		this.#outlet.send(message.eventType, frameOf(message), { isUrgent: true });
	}
}
