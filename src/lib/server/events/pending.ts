// What one connection has not been told yet: the latest state of each file. A file's ticks are sent four times a second
// on average; a new file, another stage, the end and a deletion never wait.
//
// On average, and not a quarter of a second apart: a writer keeps that distance himself, and each of his ticks that is
// sent a little late would make all later ones late.
import { isTerminal } from '#lib/shared/files.ts';
import type { Change } from '../files/changes.ts';
import type { Update } from './frames.ts';

const tickMs = 250;
const earlyMs = 125;

/** `paidUntil`: the time up to which the frames sent so far have used the file's share. */
type Sent = { paidUntil: number; phase: string };

const nothing: ReadonlyMap<string, Update> = new Map();

export class Pending {
	// Made when they are needed: most of ten thousand connections have nothing to tell.
	#updates: Map<string, Update> | undefined;
	#sent: Map<string, Sent> | undefined;

	get isEmpty(): boolean {
		return !this.#updates || this.#updates.size === 0;
	}

	/** Returns whether it replaced a state that nobody will see now. */
	put(update: Update): boolean {
		this.#updates ??= new Map();
		const waiting = this.#updates.get(update.change.id);
		if (waiting && waiting.change.rev >= update.change.rev) return false;
		this.#updates.set(update.change.id, update);
		return waiting !== undefined;
	}

	/** Drops what is no news after a state of the same file has been sent by other means. */
	dropKnown(revs: ReadonlyMap<string, number>): void {
		for (const [id, { change }] of this.#updates ?? nothing) {
			if (change.rev <= (revs.get(id) ?? -1)) this.#updates?.delete(id);
		}
	}

	/** Takes out what may be sent now, one at a time: whoever stops early leaves the rest in place. */
	*take(now: number, isForced: boolean): Generator<Update> {
		for (const [id, update] of this.#updates ?? nothing) {
			if (!isForced && now < this.#dueAt(update.change)) continue;
			this.#updates?.delete(id);
			this.#noteSent(update.change, now);
			yield update;
		}
	}

	/** When the next one may be sent. */
	nextDueAt(): number | undefined {
		let next: number | undefined;
		for (const { change } of this.#updates?.values() ?? [])
			next = Math.min(next ?? Infinity, this.#dueAt(change));
		return next;
	}

	#dueAt(change: Change): number {
		const sent = this.#sent?.get(change.id);
		return sent && sent.phase === phaseOf(change) ? sent.paidUntil - earlyMs : 0;
	}

	/** Only files at work are remembered: the others have no ticks. */
	#noteSent(change: Change, now: number): void {
		if (!change.file || isTerminal(change.file.status)) this.#sent?.delete(change.id);
		else this.#pay(change, now);
	}

	#pay(change: Change, now: number): void {
		this.#sent ??= new Map();
		const phase = phaseOf(change);
		const before = this.#sent.get(change.id);
		// What was sent out of turn (another stage, before a heartbeat) is not charged to the ticks after it.
		const from = before?.phase === phase ? Math.min(Math.max(now, before.paidUntil), now + earlyMs) : now;
		this.#sent.set(change.id, { paidUntil: from + tickMs, phase });
	}
}

function phaseOf({ file }: Change): string {
	return file ? `${file.status} ${file.processing_stage}` : 'deleted';
}
