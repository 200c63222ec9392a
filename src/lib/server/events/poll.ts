// The stream for clients that cannot stream: what changed since a cursor, as one answer. It waits for the first change
// when there is none yet, and like a connection it listens before it looks.
import { randomUUID } from 'node:crypto';
import type { ChangesAnswer, StreamMessage } from '#lib/shared/events.ts';
import { problem } from '../errors.ts';
import type { FileChanges, Place } from '../files/changes.ts';
import { stamp, toMessage } from './frames.ts';
import type { Hub, Listener } from './hub.ts';

export type Question = {
	session: { id: string; userId: string };
	user?: string | undefined;
	cursor: string | undefined;
	waitSeconds: number;
	signal: AbortSignal;
};

export async function answerPoll(
	deps: { hub: Hub; changes: FileChanges },
	question: Question
): Promise<ChangesAnswer> {
	const { session, cursor, waitSeconds } = question;
	if (cursor === undefined) return readAll(deps.changes, session.userId, []);
	const answer = await readSince(deps.changes, session.userId, cursor);
	if (answer.changes.length > 0 || waitSeconds === 0) return answer;
	return waitForChanges(deps, question, answer.cursor);
}

async function waitForChanges(
	{ hub, changes }: { hub: Hub; changes: FileChanges },
	{ session, waitSeconds, signal }: Question,
	cursor: string
): Promise<ChangesAnswer> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const waiter: Listener = {
		kind: 'poll',
		id: randomUUID(),
		userId: session.userId,
		sessionId: session.id,
		client: undefined,
		publish: () => resolve(),
		beat: () => undefined,
		tell: () => undefined,
		tend: () => undefined,
		bye: (reason) => (reason === 'shutdown' ? resolve() : reject(problem('auth.required')))
	};
	hub.admit(waiter);
	const timer = setTimeout(resolve, waitSeconds * 1000);
	signal.addEventListener('abort', () => resolve(), { once: true });
	try {
		await hub.add(waiter);
		const missed = await readSince(changes, session.userId, cursor);
		if (missed.changes.length > 0 || signal.aborted) return missed;
		await promise;
	} finally {
		clearTimeout(timer);
		hub.remove(waiter);
	}
	return readSince(changes, session.userId, cursor);
}

async function readSince(changes: FileChanges, userId: string, cursor: string): Promise<ChangesAnswer> {
	const past = await changes.since(userId, cursor);
	if (past.kind === 'reset')
		return readAll(changes, userId, [stamp({ eventType: 'reset' as const, reason: past.reason })]);
	return { changes: past.changes.map((change) => stamp(toMessage(change))), cursor: past.cursor };
}

async function readAll(
	changes: FileChanges,
	userId: string,
	before: StreamMessage[]
): Promise<ChangesAnswer> {
	const messages: StreamMessage[] = [...before];
	let cursor: string | undefined;
	let after: Place | undefined;
	do {
		const page = await changes.snapshot(userId, after);
		cursor ??= page.cursor;
		after = page.next;
		messages.push(stamp({ eventType: 'snapshot' as const, files: page.files, last: after === undefined }));
	} while (after);
	return { changes: messages, cursor };
}
