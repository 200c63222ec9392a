// One file's stream: progress until it ends, then its outcome, then the end of the response. For a program that waits
// for one result; it closes by itself, after five minutes at the latest.
import { randomUUID } from 'node:crypto';
import type { ByeReason, FollowMessage } from '#lib/shared/events.ts';
import { isTerminal, type StoredFile } from '#lib/shared/files.ts';
import type { Change, Digest } from '../files/changes.ts';
import type { Scope } from '../files/reach.ts';
import { findFile } from '../files/read.ts';
import type { Db } from '../platform/platform.ts';
import { type ConnectionDeps, giveUpMs } from './connection.ts';
import { encode, frameOf, type Untimed, type Update } from './frames.ts';
import type { Listener } from './hub.ts';
import { Outlet } from './outlet.ts';
import { sentenceOf } from './sentence.ts';
import type { Sink } from './sink.ts';

export type FollowerDeps = ConnectionDeps & { db: Db };

const longestMs = 5 * 60_000;

export class Follower implements Listener {
	readonly kind = 'stream';
	readonly id = randomUUID();
	readonly client = undefined;
	readonly userId: string;
	readonly scope: Scope;
	readonly sessionId: string;
	readonly #deps: FollowerDeps;
	readonly #fileId: string;
	readonly #outlet: Outlet;
	readonly #endsAt: number;
	/** The latest change before the file itself was read; null from then on. */
	#missed: Change | undefined | null;

	constructor(
		deps: FollowerDeps,
		{
			session,
			scope,
			fileId,
			maxMs = longestMs
		}: { session: { id: string; userId: string }; scope: Scope; fileId: string; maxMs?: number },
		sink: Sink
	) {
		this.userId = session.userId;
		this.scope = scope;
		this.sessionId = session.id;
		this.#deps = deps;
		this.#fileId = fileId;
		this.#endsAt = performance.now() + maxMs;
		this.#outlet = new Outlet({ sink, counts: deps.counts, owner: this });
	}

	get isClosed(): boolean {
		return this.#outlet.isClosed;
	}

	async start(): Promise<void> {
		const { db, hub, heartbeatSeconds } = this.#deps;
		const isFollowed = hub.add(this);
		this.#send({ eventType: 'connected', connectionId: this.id, heartbeatSeconds, cursor: null });
		await isFollowed;
		const file = await findFile(db, this.userId, this.#fileId, this.scope);
		const missed = this.#missed;
		this.#missed = null;
		this.#outlet.release();
		// Who waits for progress first is not left waiting by a file that has ended before.
		if (file && isTerminal(file.status)) this.#send(progressOf(file));
		this.#tell({ id: this.#fileId, rev: file?.rev ?? 0, file });
		if (missed && file && missed.rev > file.rev) this.#tell(missed);
	}

	publish(updates: readonly Update[]): void {
		const change = updates.find((update) => update.change.id === this.#fileId)?.change;
		if (!change) return;
		if (this.#missed === null) this.#tell(change);
		else this.#missed = change;
	}

	beat(digest: Digest, cursor: string): void {
		this.#send({ eventType: 'heartbeat', cursor, ...digest }, false);
	}

	tell(): void {}

	bye(reason: ByeReason): void {
		this.#send({ eventType: 'bye', reason });
		this.#outlet.end();
	}

	tend(now: number): void {
		if (now >= this.#endsAt) this.bye('timeout');
		else if (this.#outlet.stalledMs(now) >= giveUpMs) this.#outlet.destroy();
	}

	onClosed(): void {
		this.#deps.hub.remove(this);
	}

	cut(): void {
		this.#outlet.end();
	}

	#tell(change: Change): void {
		const message = toFollowMessage(change.file);
		this.#outlet.put([{ change, event: message.eventType, body: () => encode(message) }]);
		if (message.eventType === 'progress') return;
		// A reader who has not caught up is cut: the end of the response must not look like the end of the file.
		if (this.#outlet.isBehind) this.#outlet.destroy();
		else this.#outlet.end();
	}

	#send(message: Untimed<FollowMessage>, isUrgent = true): void {
		this.#outlet.send(message.eventType, frameOf(message), { isUrgent });
	}
}

/** A cancelled or deleted file is an end like any other: nobody may wait for it for ever. */
export function toFollowMessage(file: StoredFile | undefined) {
	if (!file) return failed('The file was deleted.', { code: 'file.deleted' });
	const { status, error_code } = file;
	if (status === 'completed') return { eventType: 'completed' as const, result: file };
	if (!isTerminal(status)) return progressOf(file);
	if (status === 'cancelled')
		return failed('Processing was cancelled.', { code: 'file.cancelled', status, file });
	return failed(file.error_message ?? 'Processing failed.', { code: error_code, status, file });
}

function progressOf(file: StoredFile) {
	const { status, progress, processing_stage } = file;
	return { eventType: 'progress' as const, status, progress, processing_stage, message: sentenceOf(file) };
}

function failed(error: string, details: Record<string, unknown>) {
	return { eventType: 'failed' as const, error, details };
}
