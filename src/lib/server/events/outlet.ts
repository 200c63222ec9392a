// One connection's way out: conflation, and what happens to a reader who reads too slowly. Above 64 KiB unsent nothing
// more is written; only the latest state of each file is kept, and sent when the reader has caught up. Only the last
// frame of a flush carries an id, and only when nothing is waiting any more: a client that is cut off in the middle
// then continues from before it.
import { Buffer } from 'node:buffer';
import type { FrameCounts } from './frame-counts.ts';
import { blankLine, idLine, type Update } from './frames.ts';
import { Pending } from './pending.ts';
import type { Sink, SinkEvents } from './sink.ts';

const maxUnsentBytes = 64 * 1024;
/** Named events that wait for a slow reader; with more he is cut off. */
const maxWaitingEvents = 100;

export type OutletOptions = {
	sink: Sink;
	counts: FrameCounts;
	owner: { onClosed(): void };
};

export class Outlet implements SinkEvents {
	readonly #sink: Sink;
	readonly #counts: FrameCounts;
	readonly #owner: OutletOptions['owner'];
	readonly #pending = new Pending();
	#waitingEvents: Buffer[] | undefined;
	#drains: (() => void)[] | undefined;
	#timer: NodeJS.Timeout | undefined;
	#stalledSince: number | undefined;
	#position: string | undefined;
	/** Until the past has been sent, the present only collects. */
	#isHeld = true;
	#isLive = false;
	#isClosed = false;

	constructor({ sink, counts, owner }: OutletOptions) {
		this.#sink = sink;
		this.#counts = counts;
		this.#owner = owner;
		sink.attach(this);
	}

	get isClosed(): boolean {
		return this.#isClosed;
	}

	/** Something was put that has not been written. */
	get isBehind(): boolean {
		return !this.#pending.isEmpty;
	}

	/** How long the reader has not kept up. */
	stalledMs(now: number): number {
		return this.#stalledSince === undefined ? 0 : now - this.#stalledSince;
	}

	/** Everything before `position` is contained in what was put so far. */
	put(updates: Iterable<Update>, position?: string): void {
		if (this.#isClosed) return;
		for (const update of updates) if (this.#pending.put(update)) this.#counts.conflated();
		this.#position = position ?? this.#position;
		this.flush();
	}

	/** The past has been sent up to `position`, in these states; from now on the present flows. */
	release(position?: string, revs?: ReadonlyMap<string, number>): void {
		if (revs) this.#pending.dropKnown(revs);
		this.#position ??= position;
		this.#isHeld = false;
		this.flush({ isForced: true });
		this.#isLive = true;
	}

	flush({
		isForced = false,
		last
	}: { isForced?: boolean; last?: { event: string; body: Buffer } } = {}): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#isClosed || this.#isHeld || this.#isStalled()) return;
		const parts = this.#waitingEvents ?? [];
		this.#waitingEvents = undefined;
		this.#takeUpdates(parts, isForced);
		if (last && this.#pending.isEmpty) {
			this.#counts.sent(last.event);
			parts.push(last.body, blankLine);
		}
		if (parts.length > 0) this.#write(parts);
		this.#schedule();
	}

	/** A whole frame that is not about one file. Unless it is urgent, a slow reader gets it later. */
	send(event: string, frame: Buffer, { isUrgent = false } = {}): void {
		if (this.#isClosed) return;
		this.#counts.sent(event);
		if (isUrgent || !(this.#isHeld || this.#isStalled())) this.#sink.write(frame);
		else if ((this.#waitingEvents ??= []).push(frame) > maxWaitingEvents) this.destroy();
	}

	/** Resolves when more can be written, or nothing ever again. */
	async drained(): Promise<void> {
		while (!this.#isClosed && this.#isStalled()) {
			await new Promise<void>((resolve) => (this.#drains ??= []).push(resolve));
		}
	}

	/** After everything that has been written. */
	end(): void {
		if (!this.#isClosed) this.#sink.end();
		this.onClose();
	}

	destroy(): void {
		if (!this.#isClosed) this.#sink.destroy();
		this.onClose();
	}

	onDrain(): void {
		this.#stalledSince = undefined;
		this.#releaseWaiting();
		this.flush();
	}

	onClose(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		clearTimeout(this.#timer);
		this.#releaseWaiting();
		this.#owner.onClosed();
	}

	#releaseWaiting(): void {
		const waiting = this.#drains ?? [];
		this.#drains = undefined;
		for (const resolve of waiting) resolve();
	}

	#isStalled(): boolean {
		if (this.#sink.pending() < maxUnsentBytes) return false;
		this.#stalledSince ??= performance.now();
		return true;
	}

	#takeUpdates(parts: Buffer[], isForced: boolean): void {
		let unsent = this.#sink.pending();
		for (const update of this.#pending.take(performance.now(), isForced)) {
			const body = update.body();
			parts.push(body, blankLine);
			this.#measure(update);
			unsent += body.length;
			if (unsent >= maxUnsentBytes) return;
		}
	}

	#measure({ event, change }: Update): void {
		this.#counts.sent(event);
		if (this.#isLive && change.file) this.#counts.delivered(change.file.updated_at);
	}

	#write(parts: Buffer[]): void {
		// Named events carry no id: they are not part of what a cursor continues.
		if (this.#pending.isEmpty && this.#position && parts.at(-1) === blankLine)
			parts[parts.length - 1] = idLine(this.#position);
		this.#sink.write(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts));
	}

	#schedule(): void {
		const dueAt = this.#pending.nextDueAt();
		if (dueAt === undefined || this.#isStalled()) return;
		this.#timer = setTimeout(() => this.flush(), Math.max(0, dueAt - performance.now()));
	}
}
