// The stream for clients that cannot stream: what changed since a cursor, as one answer. It waits for the first change
// or named event when there is none yet, and like a connection it listens before it looks. A named event that nobody
// keeps and that is sent between two requests is not heard.
import { randomUUID } from 'node:crypto';
import type { ChangesAnswer, NamedEvent, StreamMessage } from '#lib/shared/events.ts';
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

type Deps = {
	hub: Hub;
	changes: FileChanges;
	keptFor(userId: string): Promise<NamedEvent[]>;
};
type FileNews = Omit<ChangesAnswer, 'events'>;

export async function answerPoll(deps: Deps, question: Question): Promise<ChangesAnswer> {
	const told: NamedEvent[] = [];
	const news = await readNews(deps, question, told);
	// What is kept comes with each answer until it is confirmed, but is no reason to answer.
	const kept = await deps.keptFor(question.session.userId);
	const isKept = new Set(kept.map(({ id }) => id));
	return { ...news, events: [...kept, ...told.filter(({ id }) => !isKept.has(id))] };
}

async function readNews(deps: Deps, question: Question, told: NamedEvent[]): Promise<FileNews> {
	const { session, cursor, waitSeconds } = question;
	if (cursor === undefined) return readAll(deps.changes, session.userId, []);
	const news = await readSince(deps.changes, session.userId, cursor);
	if (news.changes.length > 0 || waitSeconds === 0) return news;
	return waitForNews(deps, question, news.cursor, told);
}

async function waitForNews(
	{ hub, changes }: Deps,
	{ session, waitSeconds, signal }: Question,
	cursor: string,
	told: NamedEvent[]
): Promise<FileNews> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	// The session may end before anybody awaits it.
	promise.catch(() => undefined);
	const waiter: Listener = {
		kind: 'poll',
		id: randomUUID(),
		userId: session.userId,
		sessionId: session.id,
		client: undefined,
		publish: () => resolve(),
		beat: () => undefined,
		tell: (event) => {
			told.push(event);
			resolve();
		},
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

async function readSince(changes: FileChanges, userId: string, cursor: string): Promise<FileNews> {
	const past = await changes.since(userId, cursor);
	if (past.kind === 'reset')
		return readAll(changes, userId, [stamp({ eventType: 'reset' as const, reason: past.reason })]);
	return { changes: past.changes.map((change) => stamp(toMessage(change))), cursor: past.cursor };
}

async function readAll(changes: FileChanges, userId: string, before: StreamMessage[]): Promise<FileNews> {
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
